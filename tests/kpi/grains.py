"""The keys of KPIs, read out of the grain that each declares."""

import re

from pipeline.kpi.catalogue import describe_kpi

BEGINS = "one row per "
MAY_BE_NAMED_BY = {"campaign": ("campaign_id", "campaign_name")}
"""What has two columns that tell it from others."""


def list_keys(kpi: str) -> tuple[str, ...]:
    """The columns that tell the rows of a KPI from each other."""
    grain = describe_kpi(kpi).grain
    assert grain.startswith(BEGINS), f"the grain of {kpi} begins with {BEGINS!r}"
    plain = re.sub(r"\([^)]*\)", "", grain.removeprefix(BEGINS)).partition(";")[0]
    names = [part.split()[0] for part in re.split(r",| and ", plain) if part.strip()]
    return tuple(key for name in names for key in MAY_BE_NAMED_BY.get(name, (name,)))
