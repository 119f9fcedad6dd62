"""Synthetic ad data: a pure model of campaigns, and the one place that writes what it makes.

request     what a person asks for, checked before anything is made
calendar    how many rows each day gets; the seasons
vocabulary  the words in campaign names, from Faker, made once
hashing     a counter-based hash
campaigns   which campaign runs where on a day
labels      ids and names as Arrow arrays
economy     the numbers of the imagined market
sampling    bounded log-normal figures from uniform numbers
arrays      numpy to Arrow
model       one day as Arrow record batches
parquet     a part of a day as the bytes of a Parquet file
write       parts to files, files to manifests
messy       the same facts as platforms deliver them
"""
