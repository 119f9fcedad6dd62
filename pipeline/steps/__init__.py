"""The steps of the pipeline: each reads, calls pure functions, writes, and returns counts.

What lies below is used by what lies above it. Taking deliveries in:

run              the main job: generate, merge, roll up, report, export
merge            what is new becomes part of the master
replay           judges what was refused once more
withdraw         takes a delivered file back
rebuild          makes the master anew
transaction      reads, judges and resolves delivered files, and one commit that decides
commit           the sequence around one commit on the master
batch            the files that were read, and what they touch
accounting       the account of a merge
resolve_parts    one partition: load, resolve, write
part_rows        its rows and the new ones, by slices of dates
hold             holds back what would replace much
relabel          by which commands files without an account come back with one
rivals           whose rows stand on the same dates
refuse           what reads well and still cannot be merged
differ           how a file that is read again differs
read_deliveries  reads the files of a merge, and keeps them for a second attempt
read_days        generated days, in batches
read_files       delivered files, in children
read_place       where what is read is kept until it is resolved
ingest           reads, judges and spools one delivered file
ingest_days      reads, judges and spools some generated days
totals           totals rows as a checksum
blocks           the records of a file, and their verdicts
other_notation   refuses what is written as in another country
context          account, currency, period, breakdown of a file
discover         what the ledger does not know yet
complete         leaves deliveries alone that are not complete
growing          which files are still being written
ledger           the ledger as a frame

Delivering:

land              puts files into landing/
label             what a person says of a file
check_file        how a file would be read
draft_contract    a contract for a file that none fits
guess_columns     what its columns are; pure
await_deliveries  whether what a day waits for has come
generate_messy    delivers generated facts as platforms do

Reading:

pin          the version that a command is about
report       the report, as cells
page         what a page says: for both reports
html_report  the report, as a page
quality      a day against its limits
diff         the KPIs of two versions
status       the account of all rows
history      what made each version

Upkeep:

init              begins a project
upgrade           moves a lake to a newer format
compact           joins small files
vacuum            deletes what no version needs
fsck              checks a whole lake
check_deliveries  of fsck: what was delivered and generated
check_files       of fsck: files that are written once
check_rows        of fsck: rows and rollups
check_statistics  of fsck: rows and dates of files, as the log says them
read_log          a log, entry by entry
needs             what lies in the lake, and what of it is needed
verify            compares with what the generator knows
truth             reads what that is
"""
