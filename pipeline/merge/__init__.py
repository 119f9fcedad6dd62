"""Decides what deliveries do to the master. Pure, but for `write`.

place     where a file lies, and what its path says
delivery  identity and rank
coverage  for which dates a file speaks
windows   which delivery speaks for a date
by_day    rows by source and day, for `holds`
holds     which deliveries wait for a person
twice     whether one account would stand under two names
plan      which files are rewritten, and how new ones are cut
fold      adds up rows that say parts of one thing
order     puts rows in order
resolve   which rows there are afterwards
write     writes data, rejects and the ledger
account   one ledger row a file
"""
