"""Which delivery comes when, over which days, and in how many files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Account

DAILY_DAYS: Final = 7
WEEKLY_DAYS: Final = 28
_WEEK: Final = 7
_MISSED_PERCENT: Final = 5
_SPLIT_PERCENT: Final = 40
_DAILY_HOUR: Final = 5
_WEEKLY_HOUR: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A file of a delivery.

    Attributes:
        account: Whose it is.
        delivered_at: Time of the delivery, UTC; no other of the account has it.
        part: Number of the file in its delivery, from 0.
        first: The first day that it is of.
        last: The last, before the day of the delivery.
    """

    account: Account
    delivered_at: datetime
    part: int
    first: date
    last: date


def plan_deliveries(
    accounts: Sequence[Account], *, start: date, end: date, seed: int
) -> list[Planned]:
    """The files of all accounts, the oldest delivery first.

    On the morning after each day comes the last week, now and then nothing; after each seventh
    day the last four weeks come beside it, now and then in two files.
    """
    planned = [
        file
        for place, account in enumerate(accounts)
        for offset in range((end - start).days + 1)
        for file in _plan_day(account, start, start + timedelta(days=offset), place, seed)
    ]
    return sorted(planned, key=lambda file: (file.delivered_at, file.part))


def _plan_day(account: Account, start: date, day: date, place: int, seed: int) -> Iterator[Planned]:
    dice = Dice(seed, "plan", account.source, account.name, day)
    if not dice.happens(_MISSED_PERCENT):
        first = max(start, day - timedelta(days=DAILY_DAYS - 1))
        at = _find_morning(day, hour=_DAILY_HOUR, minute=place)
        yield Planned(account=account, delivered_at=at, part=0, first=first, last=day)
    if ((day - start).days + 1) % _WEEK:
        return
    first = max(start, day - timedelta(days=WEEKLY_DAYS - 1))
    at = _find_morning(day, hour=_WEEKLY_HOUR, minute=place)
    windows = [(first, day)]
    if dice.happens(_SPLIT_PERCENT):
        middle = first + (day - first) // 2
        windows = [(first, middle), (middle + timedelta(days=1), day)]
    for part, window in enumerate(windows):
        yield Planned(account=account, delivered_at=at, part=part, first=window[0], last=window[1])


def _find_morning(day: date, *, hour: int, minute: int) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(hour, minute), tzinfo=UTC)
