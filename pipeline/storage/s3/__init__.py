"""A lake in a bucket.

location     an `s3://` URI, read and checked; where the store answers
credentials  the standard AWS chain, resolved once and renewed when it expires
sources      why that gives none, in a person's words
client       one request: tried again where that may help, its refusal explained
bodies       a file's bytes, whole or not at all
writes       files that appear whole; big ones in parts
listing      what is there, page by page
copies       local files with the bytes of some of it
storage      the verbs of `storage.base`
doctor       what a lake needs of its store, tried
access       what DuckDB has to be told
"""

from pipeline.storage.s3.storage import S3Storage

__all__ = ["S3Storage"]
