"""The original's third script: the two tables of the final report."""

import argparse
import io

import pandas as pd

from benchmarks.original.bucket import open_place


def main() -> None:
    """Prints sums and ratios per platform, and the mean viewing time per audience."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bucket")
    options = parser.parse_args()
    bucket = open_place(options.bucket)
    master = pd.read_csv(io.BytesIO(bucket.read("marketing_master_dataset.csv")))
    platforms = master.groupby("platform")[["costo_total", "clicks", "impressions"]].sum()
    platforms["CPC_Real"] = platforms["costo_total"] / platforms["clicks"]
    platforms["CTR_Real"] = platforms["clicks"] / platforms["impressions"] * 100
    print(platforms)
    audiences = master.groupby("target_audience")["video_view_time"].mean()
    print(audiences.sort_values(ascending=False))


if __name__ == "__main__":
    main()
