"""Reads delivered files by their contract: bytes in, rows of text or typed rows out.

open            what a file is by its first bytes; gzip is inflated
kind            refuses what is no text with lines; pure
encoding        the encodings of text files
recognise       which contract a file is of
header          matches its header with a contract; pure
choose          which of several contracts is taken
period          the dates that the lines before a header name; pure
labels          what these lines say behind a label, as a time zone; pure
layout          all that reading a file needs
lay_out         finds it for any file
text            a CSV file, block by block
lines           the lines of a block
quotes          records that hold quotes
records         a block of bytes to records
totals          rows that sum up the others, taken out
parquet         a Parquet file, batch by batch
parquet_footer  what surrounds its data
parquet_pages   the headers of its pages
parquet_types   which types a column may have
parquet_rows    its rows as text
thrift          the protocol of its footer and headers
raw             generated days
sample          the first rows of a file of no contract
"""
