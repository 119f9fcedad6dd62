"""The original's second script: all lots become one master CSV, in the bucket and on local disk."""

import argparse
import io

import pandas as pd

from benchmarks.original.bucket import open_place


def main() -> None:
    """Reads every lot, whatever was merged before, and writes the master twice."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bucket")
    parser.add_argument("local")
    options = parser.parse_args()
    bucket = open_place(options.bucket)
    lots = [pd.read_csv(io.BytesIO(bucket.read(name))) for name in bucket.list()]
    text = pd.concat(lots, ignore_index=True).to_csv(index=False)
    for place in (open_place(options.local), bucket):
        place.write("marketing_master_dataset.csv", text.encode())


if __name__ == "__main__":
    main()
