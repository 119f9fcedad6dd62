"""What programs write: rows of the APIs, and canonical rows."""

from collections.abc import Mapping, Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exports.facts import CURRENCY, FACTS, Export, Style

Format = Literal["csv", "parquet"]


def make_google_api_export(format_: Format = "csv", *, dots: bool = True) -> Export:
    """Rows of the Google Ads API by day, with names of GAQL or of a data frame."""
    rows: list[dict[str, object]] = []
    for fact in FACTS:
        row: dict[str, object] = {
            "segments.date": fact.day,
            "customer.id": 1234567890,
            "customer.currency_code": CURRENCY,
            "campaign.id": int(fact.campaign_id),
            "campaign.name": fact.campaign,
            "metrics.impressions": fact.impressions,
            "metrics.clicks": fact.clicks,
            "metrics.cost_micros": int(fact.cost * 1_000_000),
            "metrics.ctr": fact.clicks / fact.impressions,
            "metrics.average_cpc": float(fact.cost) * 1e6 / max(fact.clicks, 1),
            "metrics.conversions": float(fact.conversions),
            "metrics.conversions_value": float(fact.revenue),
        }
        rows.append(row if dots else {name.replace(".", "_"): row[name] for name in row})
    form = "dots" if dots else "underscores"
    return _make_table_export("google_ads_api", "google_ads", rows, format_, form)


def make_meta_api_export(format_: Format = "csv") -> Export:
    """Rows of Meta's insights by day: the figures are texts there."""
    rows: list[dict[str, object]] = [
        {
            "date_start": fact.day.isoformat() if format_ == "csv" else fact.day,
            "date_stop": fact.day.isoformat() if format_ == "csv" else fact.day,
            "account_id": "103891466123901",
            "account_currency": CURRENCY,
            "campaign_id": fact.campaign_id,
            "campaign_name": fact.campaign,
            "impressions": fact.impressions,
            "clicks": fact.clicks,
            "spend": fact.cost,
            "ctr": 100 * fact.clicks / fact.impressions,
            "cpc": float(fact.cost) / max(fact.clicks, 1),
            "attribution_setting": "7d_click_1d_view",
            "actions:purchase": fact.conversions,
            "action_values:purchase": fact.revenue,
        }
        for fact in FACTS
    ]
    return _make_table_export("meta_ads_api", "meta_ads", rows, format_)


def make_canonical_export(format_: Format = "csv") -> Export:
    """Rows under the canonical names."""
    rows: list[dict[str, object]] = [
        {
            "date": fact.day,
            "account": "main",
            "platform": "Search & more",
            "campaign_id": fact.campaign_id,
            "campaign_name": fact.campaign,
            "currency": CURRENCY,
            "impressions": fact.impressions,
            "clicks": fact.clicks,
            "cost": fact.cost,
            "conversions": fact.conversions,
            "revenue": fact.revenue,
        }
        for fact in FACTS
    ]
    return _make_table_export("canonical", "canonical", rows, format_)


def _make_table_export(
    contract: str,
    source: str,
    rows: Sequence[Mapping[str, object]],
    format_: Format,
    form: str = "",
) -> Export:
    if format_ == "csv":
        cells = [[str(cell) for cell in row.values()] for row in rows]
        data = Style().write_rows([list(rows[0]), *cells])
    else:
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(list(rows)), sink)
        data = sink.getvalue().to_pybytes()
    return Export(
        name=f"{contract} {format_} {form}".strip(),
        contract=contract,
        source=source,
        file_name=f"export.{format_}",
        data=data,
    )
