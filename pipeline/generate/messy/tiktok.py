"""The reports of TikTok, as its contract reads them."""

from collections.abc import Mapping
from typing import Final

from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Account
from pipeline.generate.messy.form import Form, Names, Period, draw_ignored, name_columns
from pipeline.generate.messy.text import Style

_STYLES: Final = (
    Style(),
    Style(encoding="utf-8-sig", thousands=","),
    Style(day="midnight", line_end="\r\n"),
)
_NAMES: Final[Mapping[str, Names]] = {
    "campaign_name": {"en": ["Campaign name"]},
    "campaign_id": {"en": ["Campaign ID"]},
    "date": {"en": ["By Day", "Date"]},
    "currency": {"en": ["Currency"]},
    "cost": {"en": ["Cost"]},
    "cpc": {"en": ["CPC (destination)"]},
    "impressions": {"en": ["Impressions"]},
    "clicks": {"en": ["Clicks (destination)"]},
    "ctr": {"en": ["CTR (destination)"]},
    "conversions": {"en": ["Conversions"]},
    "revenue": {"en": ["Total purchase value", "Total complete payment value"]},
}
_IGNORED: Final[Mapping[str, Names]] = {
    "status": {"en": ["Primary status"]},
    "share": {"en": ["CPM"]},
    "count": {"en": ["Reach"]},
}


def draw_form(dice: Dice, account: Account, period: Period) -> Form:  # noqa: ARG001 - as all
    """A report in English, its totals in the last row."""
    names = {**_NAMES, **draw_ignored(dice, _IGNORED)}
    columns = name_columns(dice, names, "en", account, first="campaign_name")
    nothing = {cell: "-" for _, cell in columns}
    return Form(
        style=dice.pick(_STYLES),
        columns=columns,
        missing="-",
        file_name="Campaign report.csv",
        totals=[nothing | {"campaign_name": "Total of all results", "currency": account.currency}],
        percent=dice.pick(("%", "")),
    )
