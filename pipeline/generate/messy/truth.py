"""What the master must hold, and which file came when, as tables."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

import polars as pl

from pipeline.generate.messy.files import Messy, MessyFile, TrueRow
from pipeline.schema import AD_DAY

_AD_DAY = pl.Schema(AD_DAY)
AD_DAY_TRUTH: Final = pl.Schema(
    {
        **{
            name: _AD_DAY[name]
            for name in (
                "source",
                "account",
                "campaign_id",
                "campaign_name",
                "platform",
                "target_audience",
                "currency",
                "breakdown",
                "segment",
                "date",
                "impressions",
                "clicks",
                "cost",
                "revenue",
                "conversions",
                "delivered_at",
                "delivery_id",
            )
        },
        "path": pl.String(),
    }
)
"""A row of the master, and the path of the file that it is from."""

DELIVERIES: Final = pl.Schema(
    {
        "arrival": pl.Int64(),
        "path": pl.String(),
        "source": pl.String(),
        "account": pl.String(),
        "delivered_at": _AD_DAY["delivered_at"],
        "delivery_id": pl.String(),
        "first_date": pl.Date(),
        "last_date": pl.Date(),
        "rows": pl.Int64(),
        "quarantined": pl.Int64(),
        "repeated": pl.Int64(),
        "copy_of": pl.String(),
        "form": pl.String(),
        "sha256": pl.String(),
    }
)
"""One file in its order of arrival; `rows` without totals; `quarantined` of them are damaged,
`repeated` written once more."""


class Placed(NamedTuple):
    """Where a file lies.

    Attributes:
        path: Its key in the lake.
        delivery_id: Of its delivery.
        sha256: Of its bytes.
    """

    path: str
    delivery_id: str
    sha256: str


def frame_rows(messy: Messy, places: Mapping[int, Placed]) -> pl.DataFrame:
    """The true rows, `AD_DAY_TRUTH`; `places` is by the number of a file."""
    files = {file.number: file for file in messy.files}
    rows = [_list_cells(row, files[row.file], places[row.file]) for row in messy.rows]
    return pl.DataFrame(rows, schema=AD_DAY_TRUTH, orient="row")


def _list_cells(row: TrueRow, file: MessyFile, place: Placed) -> tuple[object, ...]:
    account, fact = row.account, row.fact
    return (
        account.source,
        account.name,
        fact.campaign.id if row.has_id else None,
        row.name,
        account.platform,
        None,
        account.currency,
        "",
        "",
        fact.day,
        fact.impressions,
        fact.clicks,
        _to_money(fact.cost),
        _to_money(fact.revenue),
        _to_money(fact.conversions),
        file.delivered_at,
        place.delivery_id,
        place.path,
    )


def _to_money(hundredths: int) -> Decimal:
    return Decimal(hundredths).scaleb(-2)


def frame_deliveries(messy: Messy, places: Mapping[int, Placed]) -> pl.DataFrame:
    """The files, `DELIVERIES`; `places` is by their numbers."""
    rows = [
        (
            arrival,
            places[file.number].path,
            file.account.source,
            file.account.name,
            file.delivered_at,
            places[file.number].delivery_id,
            file.first,
            file.last,
            file.rows,
            file.quarantined,
            file.repeated,
            None if file.copy_of is None else places[file.copy_of].path,
            file.form,
            places[file.number].sha256,
        )
        for arrival, file in enumerate(messy.files, start=1)
    ]
    return pl.DataFrame(rows, schema=DELIVERIES, orient="row")
