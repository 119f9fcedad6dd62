"""The forms in which files of Google Ads, Meta and TikTok come, as their contracts read them.

A form is drawn anew for each file: its language, encoding and marks, which names its columns have,
in which order they stand, and which columns stand among them that nobody reads.
"""

from collections.abc import Callable, Mapping
from typing import Final

from pipeline.generate.messy import google, meta, tiktok
from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Account
from pipeline.generate.messy.form import Form, Period

_DRAWN: Final[Mapping[str, Callable[[Dice, Account, Period], Form]]] = {
    "google_ads": google.draw_form,
    "meta_ads": meta.draw_form,
    "tiktok_ads": tiktok.draw_form,
}


def draw_form(dice: Dice, account: Account, period: Period) -> Form:
    """Draws the form of one file of an account over some days."""
    return _DRAWN[account.source](dice, account, period)
