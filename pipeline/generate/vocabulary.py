"""The words of campaign names, made by Faker once a run and never once a row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pipeline.errors import UsageError

DEFAULT_LOCALE: Final = "es_AR"
ADVERTISERS: Final = 64
THEMES: Final = 48
_TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What campaigns are named after.

    Attributes:
        advertisers: Distinct company names, 1 .. 64.
        themes: Distinct words for what is advertised, 1 .. 48.
    """

    advertisers: tuple[str, ...]
    themes: tuple[str, ...]


def make_vocabulary(*, seed: int, locale: str) -> Vocabulary:
    """Makes the words for a seed and a Faker locale; the same ones each time.

    Raises:
        UsageError: Faker has no such locale.
    """
    # Imported here: Faker takes a third of a second, and only generating needs it.
    from faker import Faker  # noqa: PLC0415 - see above
    from faker.config import AVAILABLE_LOCALES  # noqa: PLC0415 - see above

    if locale not in AVAILABLE_LOCALES:
        raise UsageError(
            f"the locale {locale!r} is not one of Faker's {len(AVAILABLE_LOCALES)}; "
            f"expected a name such as {DEFAULT_LOCALE} or en_US"
        )
    faker = Faker(locale)
    faker.seed_instance(seed)
    return Vocabulary(
        advertisers=_collect(faker.company, ADVERTISERS),
        # The longest of four words: short ones are mostly prepositions.
        themes=_collect(lambda: max(faker.words(4), key=len).capitalize(), THEMES),
    )


def _collect(make: Callable[[], str], count: int) -> tuple[str, ...]:
    # A dictionary keeps the order of drawing. A locale with few words gives fewer than `count`.
    found: dict[str, None] = {}
    for _ in range(_TRIES * count):
        found[" ".join(make().replace("|", "/").split())] = None
        if len(found) == count:
            break
    return tuple(found)
