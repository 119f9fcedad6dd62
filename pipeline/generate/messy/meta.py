"""The tables of Meta's Ads Manager, as its contract reads them."""

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Account
from pipeline.generate.messy.form import Form, Language, Names, Period, draw_ignored, name_columns
from pipeline.generate.messy.text import Style

_STYLES: Final[Mapping[Language, Sequence[Style]]] = {
    "en": (
        Style(),
        Style(encoding="utf-8-sig", line_end="\r\n"),
        Style(thousands=","),
        Style(decimal=",", thousands=".", delimiter=";", day="padded"),
    ),
    "es": (
        Style(),
        Style(decimal=",", delimiter=";", day="short", encoding="utf-8-sig"),
        Style(decimal=",", thousands=".", delimiter=";", day="padded"),
    ),
    "pt": (
        Style(),
        Style(decimal=",", delimiter=";", day="padded"),
        Style(decimal=",", thousands=".", delimiter=";", day="short", line_end="\r\n"),
    ),
}
_NAMES: Final[Mapping[str, Names]] = {
    "campaign_name": {
        "en": ["Campaign name"],
        "es": ["Nombre de la campaña"],
        "pt": ["Nome da campanha"],
    },
    "campaign_id": {
        "en": ["Campaign ID"],
        "es": ["Identificador de la campaña"],
        "pt": ["Identificação da campanha"],
    },
    "date": {"en": ["Day"], "es": ["Día"], "pt": ["Dia"]},
    "starts": {
        "en": ["Reporting starts"],
        "es": ["Inicio del informe"],
        "pt": ["Início dos relatórios"],
    },
    "ends": {
        "en": ["Reporting ends"],
        "es": ["Fin del informe"],
        "pt": ["Encerramento dos relatórios", "Término dos relatórios"],
    },
    "impressions": {"en": ["Impressions"], "es": ["Impresiones"], "pt": ["Impressões"]},
    "clicks": {"en": ["Clicks (all)"], "es": ["Clics (todos)"], "pt": ["Cliques (todos)"]},
    "ctr": {"en": ["CTR (all)"], "es": ["CTR (todos)"], "pt": ["CTR (todos)"]},
    "cpc": {
        "en": ["CPC (all) ({currency})", "CPC (all)"],
        "es": ["CPC (todos) ({currency})", "CPC (todos)"],
        "pt": ["CPC (todos) ({currency})", "CPC (todos)"],
    },
    "cost": {
        "en": ["Amount spent ({currency})"],
        "es": ["Importe gastado ({currency})"],
        "pt": ["Valor usado ({currency})", "Valor gasto ({currency})"],
    },
    "conversions": {"en": ["Purchases"], "es": ["Compras"], "pt": ["Compras"]},
    "revenue": {
        "en": ["Purchases conversion value", "Purchase conversion value"],
        "es": ["Valor de conversión de compras"],
        "pt": ["Valor de conversão da compra", "Valor de conversão de compras"],
    },
}
_IGNORED: Final[Mapping[str, Names]] = {
    "status": {"en": ["Objective"], "es": ["Objetivo"], "pt": ["Objetivo"]},
    "count": {"en": ["Reach"], "es": ["Alcance"], "pt": ["Alcance"]},
    "share": {"en": ["Results"], "es": ["Resultados"], "pt": ["Resultados"]},
}


def draw_form(dice: Dice, account: Account, period: Period) -> Form:
    """A table of the Ads Manager: the totals first, the currency in the name of the cost."""
    language: Language = dice.pick(("en", "es", "pt"))
    style = dice.pick(_STYLES[language])
    names = {**_NAMES, **draw_ignored(dice, _IGNORED)}
    columns = name_columns(dice, names, language, account, first="campaign_name")
    first, last = map(style.write_day, period)
    nothing = {cell: "" for _, cell in columns}
    return Form(
        style=style,
        columns=columns,
        missing="",
        file_name="Campañas.csv" if language == "es" else "Campaigns.csv",
        totals=[nothing | {"date": first, "starts": first, "ends": last}],
        totals_first=True,
        percent_places=8,
        language=language,
    )
