"""The steps of the pipeline: each reads, calls pure functions, writes, and returns counts."""
