"""Makes lots the way the original program did: plain pandas, one UUID a row."""

import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

HEADER = (
    "campaign_id,date,platform,target_audience,impressions,ctr,clicks,cpc,costo_total,"
    "video_view_time"
)
PLATFORMS = ("Facebook ADS", "Google ADS")
AUDIENCES = tuple(
    f"{gender} {age}"
    for gender in ("Mujer", "Hombre")
    for age in ("18-25", "26-35", "36-45", "+46")
)


def make_lots_frame(rows: int, *, seed: int = 7) -> pd.DataFrame:
    """A frame in the original's columns, by the rules of the original."""
    random = np.random.default_rng(seed)
    impressions = random.integers(1_000, 1_000_001, rows)
    ctr = random.uniform(0.01, 0.05, rows)
    clicks = np.floor(impressions * ctr).astype(np.int64)
    cpc = random.uniform(0.01, 0.50, rows)
    days = pd.date_range("2024-01-01", "2024-12-31").strftime("%Y-%m-%d").to_numpy()
    ids = [uuid.UUID(bytes=random.bytes(16), version=4) for _ in range(rows)]
    return pd.DataFrame(
        {
            "campaign_id": [str(one) for one in ids],
            "date": random.choice(days, rows),
            "platform": random.choice(PLATFORMS, rows),
            "target_audience": random.choice(AUDIENCES, rows),
            "impressions": impressions,
            "ctr": ctr.round(4),
            "clicks": clicks,
            "cpc": cpc.round(2),
            "costo_total": (clicks * cpc).round(2),
            "video_view_time": random.uniform(0.1, 10.0, rows).round(2),
        }
    )


def write_lots(frame: pd.DataFrame, folder: Path, *, lot_rows: int = 10_000) -> list[Path]:
    """Writes a frame as marketing_data_<n>.csv, with pandas."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, start in enumerate(range(0, len(frame), lot_rows), start=1):
        path = folder / f"marketing_data_{number}.csv"
        frame.iloc[start : start + lot_rows].to_csv(path, index=False)
        paths.append(path)
    return paths


def make_line(**cells: object) -> str:
    """One line of a lot, without its end; the cells that matter to the test are given."""
    row: dict[str, object] = {
        "campaign_id": "c1",
        "date": "2024-03-01",
        "platform": "Google ADS",
        "target_audience": "Mujer 18-25",
        "impressions": 1000,
        "ctr": 0.02,
        "clicks": 20,
        "cpc": 0.1,
        "costo_total": 2.0,
        "video_view_time": 1.5,
    }
    unknown = cells.keys() - row.keys()
    assert not unknown, unknown
    return ",".join(str(cell) for cell in (row | cells).values())


def write_lot(path: Path, lines: Iterable[str] | Sequence[str], *, header: str = HEADER) -> Path:
    """A lot of exactly these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path
