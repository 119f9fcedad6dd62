"""Filters of KPIs: what contradicts itself or is not known is refused in words, never left out."""

import re
from datetime import date

import pytest

from pipeline.errors import UsageError
from pipeline.kpi.catalogue import describe_kpi
from pipeline.kpi.selection import RANKINGS, Selection

DAY = date(2024, 3, 1)


def test_one_day_and_an_open_end_are_periods() -> None:
    assert Selection(start=DAY, end=DAY).bind(("start", "end"), kpi="day") == {
        "start": DAY,
        "end": DAY,
    }
    assert Selection(end=DAY).bind(("start", "end"), kpi="day") == {"start": None, "end": DAY}


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        Selection(start=date(2024, 3, 2), end=DAY)
    assert str(caught.value) == "the first day 2024-03-02 is after the last day 2024-03-01"


@pytest.mark.parametrize("name", ["top", "bottom"])
def test_one_campaign_at_least_and_no_more_than_there_are_can_be_asked_for(name: str) -> None:
    assert Selection(**{name: 1}).bind((name,), kpi="campaign") == {name: 1}
    for number in (0, 10**20):
        with pytest.raises(UsageError) as caught:
            Selection(**{name: number})
        assert str(caught.value) == f"{name} is {number}; expected 1 to 1,000,000,000"


def test_campaigns_are_ranked_by_spend_or_by_a_measure_that_is_known() -> None:
    assert Selection().bind(("by",), kpi="campaign") == {"by": None}  # spend, says the statement
    for ranking in RANKINGS:
        assert Selection(by=ranking).bind(("by",), kpi="campaign") == {"by": ranking}
    said = "campaigns cannot be ranked by 'cost'; expected spend, clicks, impressions, conversions"
    with pytest.raises(UsageError, match=f"^{re.escape(said)}, "):
        Selection(by="cost")


@pytest.mark.parametrize(("params", "known"), [(("start", "end"), "start, end"), ((), "none")])
def test_a_filter_that_a_kpi_does_not_know_is_refused(params: tuple[str, ...], known: str) -> None:
    with pytest.raises(UsageError) as caught:
        Selection(platform="Google ADS").bind(params, kpi="quality")
    said = f"the KPI 'quality' cannot be filtered by platform; it knows {known}"
    assert str(caught.value) == said


@pytest.mark.parametrize("kpi", ["quality", "quarantine"])
def test_what_counts_files_says_why_it_takes_nothing_but_a_source(kpi: str) -> None:
    params = describe_kpi(kpi).params
    assert Selection(source="lots").bind(params, kpi=kpi) == {"source": "lots"}
    for chosen in (Selection(start=DAY), Selection(end=DAY), Selection(campaign="1")):
        with pytest.raises(UsageError, match=r"knows source: it counts .* that could be trusted$"):
            chosen.bind(params, kpi=kpi)
    with pytest.raises(UsageError, match=r"cannot be filtered by top; it knows source$"):
        Selection(top=1).bind(params, kpi=kpi)
