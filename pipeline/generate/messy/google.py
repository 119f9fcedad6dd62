"""The downloads of Google Ads, as its contract reads them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Account
from pipeline.generate.messy.form import Form, Language, Names, Period, draw_ignored, name_columns
from pipeline.generate.messy.text import Style

_STYLES: Final[Mapping[Language, Sequence[Style]]] = {
    "en": (
        Style(thousands=",", encoding="utf-8-sig"),
        Style(thousands=",", line_end="\r\n"),
        Style(thousands=",", encoding="utf-16", delimiter="\t"),
    ),
    "es": (
        Style(decimal=",", thousands="."),
        Style(decimal=",", thousands=".", delimiter=";", day="padded"),
        Style(decimal=",", thousands=".", encoding="utf-16", delimiter="\t"),
        Style(decimal=",", thousands="\N{NO-BREAK SPACE}", delimiter=";", day="short"),
    ),
    "pt": (
        Style(decimal=",", thousands=".", encoding="utf-8-sig"),
        Style(decimal=",", thousands=".", delimiter=";"),
        Style(decimal=",", thousands=".", encoding="utf-16", delimiter="\t", line_end="\r\n"),
    ),
}
_NAMES: Final[Mapping[str, Names]] = {
    "date": {"en": ["Day"], "es": ["Día"], "pt": ["Dia"]},
    "campaign_name": {"en": ["Campaign"], "es": ["Campaña"], "pt": ["Campanha"]},
    "currency": {
        "en": ["Currency code", "Currency"],
        "es": ["Código de moneda", "Moneda"],
        "pt": ["Código da moeda", "Moeda"],
    },
    "impressions": {
        "en": ["Impr.", "Impressions"],
        "es": ["Impr.", "Impresiones"],
        "pt": ["Impr.", "Impressões"],
    },
    "clicks": {"en": ["Clicks"], "es": ["Clics"], "pt": ["Cliques"]},
    "cost": {
        "en": ["Cost", "Cost ({currency})"],
        "es": ["Coste", "Costo", "Coste ({currency})"],
        "pt": ["Custo", "Custo ({currency})"],
    },
    "ctr": {"en": ["CTR"], "es": ["CTR"], "pt": ["CTR"]},
    "cpc": {"en": ["Avg. CPC"], "es": ["CPC medio", "CPC prom."], "pt": ["CPC méd."]},
    "conversions": {"en": ["Conversions"], "es": ["Conversiones"], "pt": ["Conversões"]},
    "revenue": {
        "en": ["Conv. value", "Conversion value"],
        "es": ["Valor de conv.", "Valor conv."],
        "pt": ["Valor conv.", "Valor de conv."],
    },
}
_ID: Final[Names] = {
    "en": ["Campaign ID"],
    "es": ["ID de campaña", "ID de la campaña"],
    "pt": ["ID da campanha", "Código da campanha"],
}
_IGNORED: Final[Mapping[str, Names]] = {
    "status": {
        "en": ["Campaign status"],
        "es": ["Estado de la campaña"],
        "pt": ["Status da campanha"],
    },
    "share": {
        "en": ["Search impr. share"],
        "es": ["Cuota de impr. de búsq."],
        "pt": ["Parc. impr. pesq."],
    },
    "count": {"en": ["Interactions"], "es": ["Interacciones"], "pt": ["Interações"]},
}
_TITLES: Final[Mapping[Language, str]] = {
    "en": "Campaign report",
    "es": "Informe de campañas",
    "pt": "Relatório de campanha",
}
_TOTALS: Final[Names] = {
    "en": ["Total: Campaigns", "Total: Account"],
    "es": ["Total: Campañas", "Total: Cuenta"],
    "pt": ["Total: Campanhas", "Total: Conta"],
}
_MONTHS: Final[Names] = {
    "en": (
        *("January", "February", "March", "April", "May", "June", "July", "August"),
        *("September", "October", "November", "December"),
    ),
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto"),
        *("septiembre", "octubre", "noviembre", "diciembre"),
    ),
    "pt": (
        *("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto"),
        *("setembro", "outubro", "novembro", "dezembro"),
    ),
}


def draw_form(dice: Dice, account: Account, period: Period) -> Form:
    """A download: name and days of the report, the header, rows, and two rows of totals."""
    language: Language = dice.pick(("en", "es", "pt"))
    style = dice.pick(_STYLES[language])
    names = dict(_NAMES)
    if dice.happens(30):
        names["campaign_id"] = _ID
    names |= draw_ignored(dice, _IGNORED)
    # The first column holds the label of the totals, so it is none of figures.
    first = "status" if "status" in names and dice.happens(30) else "date"
    columns = name_columns(dice, names, language, account, first=first)
    said = " - ".join(_say_day(day, language) for day in period)
    if "," in said and style.delimiter == ",":
        said = f'"{said}"'
    missing = {cell: "--" for _, cell in columns}
    return Form(
        style=style,
        columns=columns,
        missing=" --",
        file_name=f"{_TITLES[language]}.csv",
        before=(_TITLES[language], said),
        totals=[missing | {first: label} for label in _TOTALS[language]],
        percent="%",
        declares_period=True,
        language=language,
    )


def _say_day(day: date, language: Language) -> str:
    month = _MONTHS[language][day.month - 1]
    if language == "en":
        return f"{month} {day.day}, {day.year}"
    return f"{day.day} de {month} de {day.year}"
