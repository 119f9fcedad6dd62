"""Downloads of Google Ads in each form and language."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from tests.exports.facts import (
    CURRENCY,
    TOTALS,
    Export,
    Fact,
    Language,
    Style,
    list_figures,
    split_facts,
)

GOOGLE_STYLES: Final[Mapping[Language, Sequence[Style]]] = {
    "en": (
        Style(thousands=",", encoding="utf-8-sig"),
        Style(thousands=",", encoding="utf-8", line_end="\r\n"),
        Style(thousands=",", encoding="utf-16", delimiter="\t"),
    ),
    "es": (
        Style(decimal=",", thousands="."),
        Style(decimal=",", thousands=".", delimiter=";", date_form="%d/%m/%Y"),
        Style(decimal=",", thousands=".", delimiter="\t", encoding="utf-16"),
        Style(decimal=",", thousands="\u00a0", delimiter=";", date_form="d/m/yyyy"),
    ),
    "pt": (
        Style(decimal=",", thousands=".", encoding="utf-8-sig"),
        Style(decimal=",", thousands=".", delimiter=";"),
        Style(decimal=",", thousands=".", delimiter="\t", encoding="utf-16", line_end="\r\n"),
    ),
}
"""The forms in which Google Ads files come."""

_GOOGLE_NAMES: Final[Mapping[Language, Sequence[str]]] = {
    "en": (
        *("Day", "Campaign", "Campaign status", "Currency code", "Impr.", "Clicks", "CTR"),
        *("Avg. CPC", "Cost", "Conversions", "Conv. value", "Search impr. share"),
    ),
    "es": (
        *("Día", "Campaña", "Estado de la campaña", "Código de moneda", "Impr.", "Clics", "CTR"),
        *("CPC medio", "Coste", "Conversiones", "Valor de conv.", "Cuota de impr. de búsq."),
    ),
    "pt": (
        *("Dia", "Campanha", "Status da campanha", "Código da moeda", "Impr.", "Cliques", "CTR"),
        *("CPC méd.", "Custo", "Conversões", "Valor conv.", "Parc. impr. pesq."),
    ),
}
_GOOGLE_PREAMBLES: Final[Mapping[Language, Sequence[str]]] = {
    "en": ("Campaign report", '"January 1, 2024 - January 31, 2024"'),
    "es": ("Informe de campañas", "1 de enero de 2024 - 31 de enero de 2024"),
    "pt": ("Relatório de campanha", "1 de janeiro de 2024 - 31 de janeiro de 2024"),
}
_GOOGLE_TOTALS: Final[Mapping[Language, Sequence[str]]] = {
    "en": ("Total: Campaigns", "Total: Account"),
    "es": ("Total: Campañas", "Total: Cuenta"),
    "pt": ("Total: Campanhas", "Total: Conta"),
}
_GOOGLE_SPLITS: Final[Mapping[str, Mapping[Language, str]]] = {
    "ad_group": {"en": "Ad group", "es": "Grupo de anuncios", "pt": "Grupo de anúncios"},
    "device": {"en": "Device", "es": "Dispositivo", "pt": "Dispositivo"},
}


def make_google_export(
    language: Language = "en",
    style: Style | None = None,
    *,
    splits: Sequence[str] = (),
    day_first: bool = True,
) -> Export:
    """A Google Ads download: preamble, header on line 3, totals at the end.

    Args:
        language: Of the account.
        style: One of `GOOGLE_STYLES`.
        splits: `ad_group`, `device`.
        day_first: Whether the day is the first column, which then has the totals' labels; else
            the status is.
    """
    style = style or GOOGLE_STYLES[language][0]
    names = list(_GOOGLE_NAMES[language])
    names[1:1] = [_GOOGLE_SPLITS[name][language] for name in splits]
    rows = [_google_cells(style, fact, style.write_day(fact.day)) for fact in split_facts(splits)]
    sums = [*[" --"] * len(splits), "--", "", "", *_google_figures(style, TOTALS)]
    rows += [[label, *sums] for label in _GOOGLE_TOTALS[language]]
    status = names.index(_GOOGLE_NAMES[language][2])
    if not day_first:
        names = _move_first(names, status)
        body = [_move_first(row, status) for row in rows[: -len(_GOOGLE_TOTALS[language])]]
        totals = [
            [row[0], "--", *_move_first(row, status)[2:]]
            for row in rows[-len(_GOOGLE_TOTALS[language]) :]
        ]
        rows = [*body, *totals]
    return Export(
        name=f"google_ads {language} {style.name} {'+'.join(splits)}",
        contract="google_ads",
        source="google_ads",
        file_name="Campaign report (1).csv",
        data=style.write_rows([names, *rows], _GOOGLE_PREAMBLES[language]),
        breakdown="+".join(name for name in splits if name == "ad_group"),
    )


def _move_first(row: Sequence[str], place: int) -> list[str]:
    return [row[place], *row[:place], *row[place + 1 :]]


def _google_cells(style: Style, fact: Fact, day: str) -> list[str]:
    figures = _google_figures(style, list_figures(fact))
    return [day, *fact.parts, fact.campaign, "Enabled", CURRENCY, *figures]


def _google_figures(style: Style, figures: Mapping[str, Decimal | int]) -> list[str]:
    clicks, impressions, cost = figures["clicks"], figures["impressions"], figures["cost"]
    return [
        style.write_number(impressions),
        style.write_number(clicks),
        style.write_number(Decimal(100 * clicks) / max(impressions, 1), 2) + "%",
        style.write_number(Decimal(cost) / clicks, 2) if clicks else " --",
        style.write_number(cost, 2),
        style.write_number(figures["conversions"], 2),
        style.write_number(figures["revenue"], 2),
        "< 10%",
    ]
