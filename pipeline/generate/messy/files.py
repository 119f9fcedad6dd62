"""Files in their order of arrival, and the rows that the master must hold when all have arrived."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from pipeline.generate.messy.damage import WHOLE, draw_damage, draw_repeated
from pipeline.generate.messy.dialects import draw_form
from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Account, Fact, Facts, gather_facts, recall
from pipeline.generate.messy.form import Form
from pipeline.generate.messy.plan import Planned, plan_deliveries
from pipeline.generate.model import Market
from pipeline.generate.request import DayRows

_LATE_PERCENT: Final = 10
_LATEST_HOURS: Final = 240
_REPEATED_PERCENT: Final = 8
_COPY_HOURS: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class MessyFile:
    """One file as it arrives.

    Attributes:
        number: Its own.
        account: Whose it is.
        delivered_at: Of its delivery, UTC.
        arrived_at: When it arrives; later than that where it is late.
        name: Of the file.
        data: Its bytes.
        first: The first day that it is of.
        last: The last.
        rows: Rows in it, without totals.
        quarantined: How many of them are damaged.
        repeated: How many of them say what another of them says.
        form: How it is written, in words.
        copy_of: The number of the file that it is a copy of.
        is_mirrored: Whether it lies in another folder of the same delivery.
    """

    number: int
    account: Account
    delivered_at: datetime
    arrived_at: datetime
    name: str
    data: bytes
    first: date
    last: date
    rows: int
    quarantined: int
    repeated: int
    form: str
    copy_of: int | None = None
    is_mirrored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueRow:
    """A row that the master must hold.

    Attributes:
        account: Whose it is.
        fact: What it says.
        name: What the campaign is called in it.
        has_id: Whether it says the campaign's id.
        file: Number of the file that it is from.
    """

    account: Account
    fact: Fact
    name: str
    has_id: bool
    file: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Messy:
    """What a platform delivers.

    Attributes:
        files: In their order of arrival.
        rows: What the master must hold in the end; the account and day first in their order.
    """

    files: Sequence[MessyFile]
    rows: Sequence[TrueRow]


def make_messy(market: Market, days: Sequence[DayRows]) -> Messy:
    """Makes all deliveries of the days of a seed.

    Args:
        market: The seed and its words.
        days: Neighbouring days, at least one, and their rows of a campaign and audience.
    """
    facts = gather_facts(market, days)
    planned = plan_deliveries(list(facts), start=days[0].day, end=days[-1].day, seed=market.seed)
    files: list[MessyFile] = []
    held: dict[tuple[Account, date], list[TrueRow]] = {}
    for plan in planned:  # the oldest first: a newer one takes the place of what it covers
        known = list(_recall_facts(facts, plan))
        if known:
            file, taken = _make_file(market.seed, plan, known, number=len(files))
            held |= taken
            files += [file, *_repeat(market.seed, file)]
    arrived = sorted(files, key=lambda file: (file.arrived_at, file.number))
    rows = [row for place in sorted(held, key=_order) for row in held[place]]
    return Messy(files=arrived, rows=rows)


def _order(place: tuple[Account, date]) -> tuple[str, str, date]:
    account, day = place
    return account.source, account.name, day


def _recall_facts(facts: Facts, plan: Planned) -> Iterator[Fact]:
    for offset in range((plan.last - plan.first).days + 1):
        for fact in facts[plan.account].get(plan.first + timedelta(days=offset), ()):
            yield recall(
                fact,
                on=plan.delivered_at.date(),
                has_fractions=plan.account.has_fractions,
            )


def _make_file(
    seed: int, plan: Planned, known: Sequence[Fact], *, number: int
) -> tuple[MessyFile, Mapping[tuple[Account, date], list[TrueRow]]]:
    """A file, and what the master holds of it on each day that it covers."""
    account, made_on = plan.account, plan.delivered_at.date()
    dice = Dice(seed, "file", account.source, account.name, plan.delivered_at, plan.part)
    form = draw_form(dice, account, (plan.first, plan.last))
    rows = dice.shuffle(known) if dice.happens(30) else list(known)
    damage = draw_damage(dice, rows)
    repeated = draw_repeated(dice, [at for at in range(len(rows)) if at not in damage])
    records = []
    for at, row in enumerate(rows):
        change, tear, _ = damage.get(at, WHOLE)
        cells = {**_write_cells(form, account, row, made_on), **change(form, row)}
        records.append(tear(form, form.write_record(cells)))
    records += [records[at] for at in repeated]
    days = [row.day for at, row in enumerate(rows) if not damage.get(at, WHOLE).loses_day]
    first, last = (plan.first, plan.last) if form.declares_period else (min(days), max(days))
    taken: dict[tuple[Account, date], list[TrueRow]] = {
        (account, first + timedelta(days=offset)): [] for offset in range((last - first).days + 1)
    }
    for at, row in enumerate(rows):
        if at not in damage:
            name = row.campaign.name_on(made_on)
            true = TrueRow(account=account, fact=row, name=name, has_id=form.has_ids, file=number)
            taken[account, row.day].append(true)
    late = dice.roll(_LATEST_HOURS) if dice.happens(_LATE_PERCENT) else 0
    file = MessyFile(
        number=number,
        account=account,
        delivered_at=plan.delivered_at,
        arrived_at=plan.delivered_at + timedelta(hours=late),
        name=form.file_name if not plan.part else f"part {plan.part + 1} {form.file_name}",
        data=_write_file(form, rows, records),
        first=first,
        last=last,
        rows=len(records),
        quarantined=len(damage),
        repeated=len(repeated),
        form=form.words,
    )
    return file, taken


def _write_cells(form: Form, account: Account, fact: Fact, made_on: date) -> dict[str, str]:
    day = form.style.write_day(fact.day)
    return {
        **_write_sums(form, fact),
        "date": day,
        "starts": day,
        "ends": day,
        "campaign_id": fact.campaign.id,
        "campaign_name": fact.campaign.name_on(made_on),
        "currency": account.currency,
        "status": "Enabled",
        "share": "< 10%",
    }


def _write_sums(form: Form, fact: Fact) -> dict[str, str]:
    """The cells of figures that also a row of totals has."""
    style = form.style
    cpc = Decimal(fact.cost).scaleb(-2) / fact.clicks  # the model has no row without clicks
    return {
        "impressions": style.write_count(fact.impressions),
        "clicks": style.write_count(fact.clicks),
        "cost": style.write_hundredths(fact.cost),
        "conversions": style.write_hundredths(fact.conversions),
        "revenue": style.write_hundredths(fact.revenue),
        "ctr": form.write_percent(fact.clicks, fact.impressions),
        "cpc": style.write_decimal(cpc, places=2),
        "count": style.write_count(fact.impressions // 2),
    }


def _write_file(form: Form, facts: Sequence[Fact], records: Sequence[str]) -> bytes:
    """The bytes: the totals are those of the platform, whatever became of some rows."""
    whole = _write_sums(form, _add_up(facts))
    totals = [form.write_record({**labels, **whole}) for labels in form.totals]
    body = [*totals, *records] if form.totals_first else [*records, *totals]
    return form.style.write_lines([*form.before, form.write_header(), *body])


def _add_up(facts: Sequence[Fact]) -> Fact:
    figures = ("impressions", "clicks", "cost", "conversions", "revenue")
    sums = {name: sum(getattr(fact, name) for fact in facts) for name in figures}
    return replace(facts[0], **sums)


def _repeat(seed: int, file: MessyFile) -> list[MessyFile]:
    """Now and then a file comes again under another name, or its delivery in another folder."""
    dice = Dice(seed, "repeat", file.number, file.delivered_at)
    if not dice.happens(_REPEATED_PERCENT):
        return []
    is_mirrored = dice.happens(50)
    stem = file.name.removesuffix(".csv")
    return [
        replace(
            file,
            number=file.number + 1,
            arrived_at=file.arrived_at + timedelta(hours=dice.roll(_COPY_HOURS)),
            name=file.name if is_mirrored else f"{stem} (1).csv",
            copy_of=file.number,
            is_mirrored=is_mirrored,
        )
    ]
