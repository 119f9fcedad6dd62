"""Answers from one version of the lake: DuckDB over the statements in sql/.

statements   finds and reads the files in sql/
relations    SQL text over an explicit list of files; pure
raw          which raw files the manifests make visible
rollup       derived measures, one file a partition
views        the views of one version, as text
connection   a locked-down DuckDB with these views
query        one reading statement, and its rows
catalogue    the KPIs by name
output       rows as JSON, CSV or text cells
"""
