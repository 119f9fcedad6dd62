"""The canonical row, the ledger's row, and the original program's CSV columns.

Everything that reads or writes one of these shapes takes it from here.
"""

from typing import Final, NamedTuple

import pyarrow as pa

DECIMAL: Final = pa.decimal128(18, 6)
UTC_TIME: Final = pa.timestamp("us", "UTC")


def _make_schema(*fields: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema(list(fields))


AD_DAY: Final = _make_schema(
    ("source", pa.string()),
    ("account", pa.string()),
    ("campaign_id", pa.string()),
    ("campaign_name", pa.string()),
    ("platform", pa.string()),
    ("target_audience", pa.string()),
    ("currency", pa.string()),
    ("breakdown", pa.string()),
    ("segment", pa.string()),
    ("attribution", pa.string()),
    ("date", pa.date32()),
    ("impressions", pa.int64()),
    ("clicks", pa.int64()),
    ("cost", DECIMAL),
    ("revenue", DECIMAL),
    ("conversions", DECIMAL),
    ("video_view_time", DECIMAL),
    ("video_views", pa.int64()),
    ("reported_ctr", DECIMAL),
    ("reported_cpc", DECIMAL),
    ("delivered_at", UTC_TIME),
    ("delivery_id", pa.string()),
    ("line", pa.int64()),
)
"""One ad-performance record: what one campaign did on one day for one audience.

Grain: `GRAIN`. Money is in `currency`; `date` is the account's own day; `video_view_time` is mean
minutes a view; `breakdown` is '' where the row is not split further, else the name of the split
and `segment` its value. `reported_*` are the figures the source itself stated (fractions, money).
`delivered_at`, `delivery_id` and `line` say which delivery the row came from, and where in it.
Missing is null, never 0.
"""

GRAIN: Final = (
    "source",
    "account",
    "breakdown",
    "segment",
    "campaign_id",
    "campaign_name",
    "date",
    "platform",
    "target_audience",
)
"""The master holds one row for each of these; `campaign_name` counts only without `campaign_id`."""

ADDITIVE: Final = ("impressions", "clicks", "cost", "revenue", "conversions", "video_views")
"""The measures whose sum over rows means something."""

SEGMENT: Final = "segment"
"""The column for which part of its breakdown a row is of; readers join it from several cells."""

END_CELL: Final = "_end"
PART_CELL: Final = "_part"
REST_CELL: Final = "_rest"
"""What travels from the reader beside the canonical columns: a row's last day; of which part of a
day or campaign it is, where parts are added up; and a hash of what nobody reads."""

SORT_ORDER: Final = (
    "date",
    "source",
    "account",
    "breakdown",
    "platform",
    "campaign_id",
    "target_audience",
    "segment",
    "campaign_name",
    "delivered_at",
    "delivery_id",
    "line",
)
"""The total order of rows inside the master's files."""

PARTITION_COLUMNS: Final = ("year", "month")
"""Delta partition columns of the master, zero-padded text; they stand in the path only."""

MASTER: Final = pa.schema([*AD_DAY, *(pa.field(name, pa.string()) for name in PARTITION_COLUMNS)])
"""The master table's Delta schema."""

COVERAGE: Final = pa.struct(
    [
        ("account", pa.string()),
        ("platform", pa.string()),
        ("breakdown", pa.string()),
        ("first_date", pa.date32()),
        ("last_date", pa.date32()),
        ("is_primary", pa.bool_()),
    ]
)
"""The dates, both included, on which a file speaks for an account and breakdown.

`platform` is null unless it belongs to the contract's scope; `is_primary` says whether the
breakdown is the one that the contract prefers where no row is without one.
"""

LEDGER: Final = _make_schema(
    ("n", pa.int64()),
    ("recorded_at", UTC_TIME),
    ("path", pa.string()),
    ("size", pa.int64()),
    ("etag", pa.string()),
    ("modified_at", UTC_TIME),
    ("sha256", pa.string()),
    ("source", pa.string()),
    ("contract", pa.string()),
    ("contract_sha256", pa.string()),
    ("time_zone", pa.string()),
    ("delivered_at", UTC_TIME),
    ("delivery_id", pa.string()),
    ("outcome", pa.string()),
    ("reason", pa.string()),
    ("detail", pa.string()),
    ("rows_in", pa.int64()),
    ("control", pa.int64()),
    ("accepted", pa.int64()),
    ("quarantined", pa.int64()),
    ("duplicates", pa.int64()),
    ("superseded", pa.int64()),
    ("remarks", pa.string()),
    ("coverage", pa.list_(COVERAGE)),
    ("reject_path", pa.string()),
)
"""One file that a merge has decided on; grain (n, path).

`n` is the master transaction that decided. `outcome` is `merged`, `duplicate`, `no_rows`,
`quarantined` (the whole file, with `reason` and `detail`), `held` (it waits for a person) or
`withdrawn`. The newest judgement of a file (path, sha256) is the one that counts. Always
`rows_in = accepted + quarantined + duplicates + superseded`; `control` counts preamble, totals and
blank lines beside it. `remarks` is a JSON object of counts of what was taken but is worth a look.
A generated day is one row: its manifest stands for the files it lists.
"""

REJECTS: Final = _make_schema(
    ("n", pa.int64()),
    ("path", pa.string()),
    ("line", pa.int64()),
    ("rule", pa.string()),
    ("column", pa.string()),
    ("value", pa.string()),
    ("expected", pa.string()),
    ("raw", pa.string()),
)
"""One rejected row; grain (n, path, line).

`n` is the transaction that rejected it. `line` is the physical line of a text file where the row
begins, or the row number from 1 in a Parquet file; null where the whole file was refused. `raw` is
the row as it was delivered; bytes that are not UTF-8 are written as `base64:...`.
"""


class Fault(NamedTuple):
    """Why a row is rejected.

    Attributes:
        rule: Short name of the rule.
        column: The canonical column, or '' for the row as a whole.
        value: What was found.
        expected: What would have been right.
    """

    rule: str
    column: str
    value: str
    expected: str


SEED_CSV_COLUMNS: Final = (
    "campaign_id",
    "date",
    "platform",
    "target_audience",
    "impressions",
    "ctr",
    "clicks",
    "cpc",
    "costo_total",
    "video_view_time",
)
"""The original program's CSV header, in its order."""
