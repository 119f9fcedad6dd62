"""Sample exports of ad platforms, made from one small table of invented facts.

Every dialect and language that the shipped contracts declare has a builder here. They all say the
same: whatever a file looks like, its figures add up to `TOTALS`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.exports.connectors import CONNECTOR_EXPORTS
from tests.exports.downloads import DOWNLOADS
from tests.exports.facts import FACTS, PERIOD, TOTALS, Export, Language, Style
from tests.exports.google import GOOGLE_STYLES, make_google_export
from tests.exports.meta import META_ATTRIBUTION, META_STYLES, make_meta_export
from tests.exports.programs import (
    make_canonical_export,
    make_google_api_export,
    make_meta_api_export,
)

__all__ = [
    "API_EXPORTS",
    "CONNECTOR_EXPORTS",
    "DOWNLOADS",
    "EXPORTS",
    "FACTS",
    "GOOGLE_STYLES",
    "META_ATTRIBUTION",
    "META_STYLES",
    "PERIOD",
    "TOTALS",
    "UI_EXPORTS",
    "Export",
    "Language",
    "Style",
    "make_canonical_export",
    "make_google_api_export",
    "make_google_export",
    "make_meta_api_export",
    "make_meta_export",
]


def _list_all(
    styles: Mapping[Language, Sequence[Style]], make: Callable[[Language, Style], Export]
) -> list[Export]:
    return [make(language, style) for language in styles for style in styles[language]]


UI_EXPORTS: Final = (
    *_list_all(GOOGLE_STYLES, make_google_export),
    *_list_all(META_STYLES, make_meta_export),
)
"""One file for each dialect and language of the downloads of people."""

API_EXPORTS: Final = (
    make_google_api_export("csv"),
    make_google_api_export("csv", dots=False),
    make_google_api_export("parquet"),
    make_google_api_export("parquet", dots=False),
    make_meta_api_export("csv"),
    make_meta_api_export("parquet"),
    make_canonical_export("csv"),
    make_canonical_export("parquet"),
)
"""What programs write."""

EXPORTS: Final = (*UI_EXPORTS, *API_EXPORTS)
