"""Results for people: the original program's CSV files, or one Parquet file.

parts      which rows are worked on together; pure
frames     parts to sorted frames, read ahead
seed_csv   a frame to the bytes of the original program's CSV; pure
files      frames to finished files in a workspace
target     where finished files go: a local folder, the lake
register   which files are exports of this lake, by hash
run        the three moves together
"""
