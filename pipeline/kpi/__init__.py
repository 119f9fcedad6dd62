"""Answers from one version of the lake: DuckDB over the statements in sql/.

statements    finds and reads the files in sql/
macros        the formulas and filters among them
relations     SQL text over an explicit list of files; pure
literals      values as SQL; pure
raw           which raw files the manifests make visible
raw_views     the views of raw/, as text
rollup        derived measures, one file a partition: names and plans; pure
rollup_files  reading and writing these files
roll_up       writes what a version lacks
view_list     which views a version has, as text
views         connections that have them
connection    a locked-down DuckDB
reach         lets DuckDB read one bucket
query         one reading statement, and its rows
query_errors  what a person is told of a wrong one; pure
table_files   warns of one that reads no version; pure but for the warning
days          which days a statement reads, and the files that have them
interrupt     ends a statement by a signal
stream        rows to CSV, JSON, Parquet and Arrow as they come
dictionary    what statements say of themselves; pure
selection     the filters of a KPI; pure
unknown       which names in them nobody in the lake has
rates         rates of exchange; pure
catalogue     the KPIs by name
diff          how KPIs moved between versions; pure
quarantine    what was refused
output        rows as JSON, CSV or text cells
"""
