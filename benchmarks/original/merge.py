"""The original's second script: all lots become one master CSV, in the bucket and on local disk."""

import argparse
from pathlib import Path

import pandas as pd


def main() -> None:
    """Reads every lot, whatever was merged before, and writes the master twice."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bucket", type=Path)
    parser.add_argument("local", type=Path)
    options = parser.parse_args()
    lots = sorted(options.bucket.glob("marketing_data_*.csv"))
    text = pd.concat([pd.read_csv(lot) for lot in lots], ignore_index=True).to_csv(index=False)
    options.local.mkdir(parents=True, exist_ok=True)
    for folder in (options.local, options.bucket):
        (folder / "marketing_master_dataset.csv").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
