"""Delta tables; the only package that knows deltalake.

table        a pinned version, and the commit of the next
checkpoints  whether they are what the entries make
library      what Delta's library is asked, of a copy of a log
log_copy     the end of a log, fetched and laid out for that library
actions      what a log says of a file, as that library gives and takes it
entry        what an entry says, and whether it is as it was written; pure
log          what a whole log looks like; pure
"""
