"""Tables of Meta Ads in each form and language."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from tests.exports.facts import (
    PERIOD,
    TOTALS,
    Export,
    Language,
    Style,
    list_figures,
    split_facts,
)

META_STYLES: Final[Mapping[Language, Sequence[Style]]] = {
    "en": (
        Style(),
        Style(encoding="utf-8-sig"),
        Style(encoding="windows-1252", thousands=","),
        Style(decimal=",", delimiter=";", date_form="%d/%m/%Y"),
    ),
    "es": (
        Style(),
        Style(encoding="windows-1252"),
        Style(decimal=",", delimiter=";", date_form="d/m/yyyy", encoding="utf-8-sig"),
        Style(decimal=",", thousands=".", delimiter=";", date_form="%d/%m/%Y"),
        Style(
            decimal=",",
            delimiter=";",
            date_form="d/m/yyyy",
            encoding="windows-1252",
            line_end="\r\n",
        ),
    ),
    "pt": (
        Style(),
        Style(encoding="windows-1252"),
        Style(decimal=",", delimiter=";", date_form="%d/%m/%Y"),
        Style(decimal=",", delimiter=";", date_form="d/m/yyyy", encoding="windows-1252"),
    ),
}
"""The forms in which Meta's files come, or are saved again."""

_META_NAMES: Final[Mapping[Language, Sequence[str]]] = {
    "en": (
        *("Campaign name", "Campaign ID", "Day", "Reporting starts", "Reporting ends"),
        *("Objective", "Campaign name", "Impressions", "Reach", "Clicks (all)", "Link clicks"),
        *("CTR (all)", "CPC (all) (EUR)", "Amount spent (EUR)", "Results", "Purchases"),
        "Purchases conversion value",
    ),
    "es": (
        *("Nombre de la campaña", "Identificador de la campaña", "Día", "Inicio del informe"),
        *("Fin del informe", "Objetivo", "Nombre de la campaña", "Impresiones", "Alcance"),
        *("Clics (todos)", "Clics en el enlace", "CTR (todos)", "CPC (todos)"),
        *("Importe gastado (EUR)", "Resultados", "Compras", "Valor de conversión de compras"),
    ),
    "pt": (
        *("Nome da campanha", "Identificação da campanha", "Dia", "Início dos relatórios"),
        *("Encerramento dos relatórios", "Objetivo", "Nome da campanha", "Impressões", "Alcance"),
        *("Cliques (todos)", "Cliques no link", "CTR (todos)", "CPC (todos)"),
        *("Valor usado (EUR)", "Resultados", "Compras", "Valor de conversão da compra"),
    ),
}
META_ATTRIBUTION: Final[Mapping[Language, tuple[str, str]]] = {
    "en": ("Attribution setting", "7-day click or 1-day view"),
    "es": ("Configuración de atribución", "Clic de 7 días o visualización de 1 día"),
    "pt": ("Configuração de atribuição", "Clique de 7 dias ou visualização de 1 dia"),
}
"""The column with the attribution window, and what it says of each campaign."""

_META_SPLITS: Final[Mapping[str, Mapping[Language, str]]] = {
    "age": {"en": "Age", "es": "Edad", "pt": "Idade"},
    "gender": {"en": "Gender", "es": "Sexo", "pt": "Gênero"},
    "publisher_platform": {"en": "Platform", "es": "Plataforma", "pt": "Plataforma"},
    "placement": {"en": "Placement", "es": "Ubicación", "pt": "Posicionamento"},
    "ad_set": {
        "en": "Ad set name",
        "es": "Nombre del conjunto de anuncios",
        "pt": "Nome do conjunto de anúncios",
    },
    "ad": {"en": "Ad name", "es": "Nombre del anuncio", "pt": "Nome do anúncio"},
}


def make_meta_export(
    language: Language = "en", style: Style | None = None, *, splits: Sequence[str] = ()
) -> Export:
    """A Meta Ads table: header, totals without a campaign first, the campaign named twice.

    Args:
        language: Of the person who exported it.
        style: One of `META_STYLES`.
        splits: Names of breakdowns of the contract.
    """
    style = style or META_STYLES[language][0]
    header, window = META_ATTRIBUTION[language]
    names = [*_META_NAMES[language], header, *(_META_SPLITS[name][language] for name in splits)]
    first, last = map(style.write_day, PERIOD)
    totals = ["", "", "", first, last, "", "", *_meta_figures(style, TOTALS)]
    rows = [[*totals, "", *[""] * len(splits)]]
    for fact in split_facts(splits):
        day = style.write_day(fact.day)
        cells = [fact.campaign, fact.campaign_id, day, day, day, "OUTCOME_SALES", fact.campaign]
        rows.append([*cells, *_meta_figures(style, list_figures(fact)), window, *fact.parts])
    return Export(
        name=f"meta_ads {language} {style.name} {'+'.join(splits)}",
        contract="meta_ads",
        source="meta_ads",
        file_name="Campañas [1].csv",
        data=style.write_rows([names, *rows]),
        breakdown="+".join(splits),
    )


def _meta_figures(style: Style, figures: Mapping[str, Decimal | int]) -> list[str]:
    clicks, impressions, cost = figures["clicks"], figures["impressions"], figures["cost"]
    return [
        style.write_number(impressions),
        style.write_number(impressions // 2),
        style.write_number(clicks),
        style.write_number(clicks // 2),
        style.write_number(Decimal(100 * clicks) / impressions, 8) if impressions else "",
        style.write_number(Decimal(cost) / clicks, 8) if clicks else "",
        style.write_number(cost),
        "3",
        style.write_number(figures["conversions"]),
        style.write_number(figures["revenue"]),
    ]
