"""The original's first script: lots of synthetic ad records into the data lake."""

# ruff: noqa: S311 - random figures guard no secret

import argparse
import math
import random
from datetime import date

import pandas as pd
from faker import Faker

from benchmarks.original.bucket import open_place

PLATFORMS = ["Facebook ADS", "Google ADS"]
AUDIENCES = [
    f"{gender} {age}"
    for gender in ("Mujer", "Hombre")
    for age in ("18-25", "26-35", "36-45", "+46")
]
FIRST_DAY = date(2024, 1, 1)
LAST_DAY = date(2024, 12, 31)


def make_record(fake: Faker) -> dict[str, object]:
    """One record by the rules of the original."""
    impressions = random.randint(1_000, 1_000_000)
    ctr = random.uniform(0.01, 0.05)
    clicks = math.floor(impressions * ctr)
    cpc = random.uniform(0.01, 0.50)
    return {
        "campaign_id": fake.uuid4(),
        "date": fake.date_between(FIRST_DAY, LAST_DAY),
        "platform": random.choice(PLATFORMS),
        "target_audience": random.choice(AUDIENCES),
        "impressions": impressions,
        "ctr": round(ctr, 4),
        "clicks": clicks,
        "cpc": round(cpc, 2),
        "costo_total": round(clicks * cpc, 2),
        "video_view_time": round(random.uniform(0.1, 10.0), 2),
    }


def main() -> None:
    """Writes `marketing_data_<n>.csv`, one lot in memory at a time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bucket")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--lot-rows", type=int, default=10_000)
    options = parser.parse_args()
    bucket = open_place(options.bucket)
    fake = Faker()
    for number, start in enumerate(range(0, options.rows, options.lot_rows), start=1):
        count = min(options.lot_rows, options.rows - start)
        lot = pd.DataFrame([make_record(fake) for _ in range(count)])
        bucket.write(f"marketing_data_{number}.csv", lot.to_csv(index=False).encode())


if __name__ == "__main__":
    main()
