"""The forms in which files of Google Ads, Meta and TikTok come, as their contracts read them.

A form is drawn anew for each file: its language, encoding and marks, which names its columns have,
in which order they stand, and which columns stand among them that nobody reads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from pipeline.generate.messy.dice import Dice
from pipeline.generate.messy.facts import Account
from pipeline.generate.messy.text import Style

Language = Literal["en", "es", "pt"]
Names = Mapping[Language, Sequence[str]]
Period = tuple[date, date]
Column = tuple[str, str]
"""The name of a column in the file, and of the cell that stands in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How one file is laid out.

    Attributes:
        style: How its cells are written.
        columns: In their order.
        missing: What stands for a figure that is missing.
        file_name: As the platform calls the file.
        before: Lines before the header.
        totals: For each row of totals the cells that are no sums.
        totals_first: Whether they stand before the other rows.
        percent: What stands behind a percentage.
        percent_places: Its decimals.
        declares_period: Whether the file says itself of which days it is.
        language: Of its names.
    """

    style: Style
    columns: Sequence[Column]
    missing: str
    file_name: str
    before: Sequence[str] = ()
    totals: Sequence[Mapping[str, str]] = ()
    totals_first: bool = False
    percent: str = ""
    percent_places: int = 2
    declares_period: bool = False
    language: Language = "en"

    @property
    def has_ids(self) -> bool:
        """Whether campaigns are known by their ids."""
        return any(cell == "campaign_id" for _, cell in self.columns)

    @property
    def words(self) -> str:
        """The form in words."""
        ids = ", ids" if self.has_ids else ""
        return f"{self.language}, {self.style.words}{ids}"

    def write_percent(self, part: int, whole: int) -> str:
        """A part of a whole that is not 0, in percent."""
        share = Decimal(100 * part) / whole
        return self.style.write_decimal(share, places=self.percent_places) + self.percent


def draw_form(dice: Dice, account: Account, period: Period) -> Form:
    """Draws the form of one file of an account over some days."""
    return _DRAWN[account.source](dice, account, period)


_GOOGLE_STYLES: Final[Mapping[Language, Sequence[Style]]] = {
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
_GOOGLE_NAMES: Final[Mapping[str, Names]] = {
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
_GOOGLE_ID: Final[Names] = {
    "en": ["Campaign ID"],
    "es": ["ID de campaña", "ID de la campaña"],
    "pt": ["ID da campanha", "Código da campanha"],
}
_GOOGLE_IGNORED: Final[Mapping[str, Names]] = {
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
_GOOGLE_TITLES: Final[Mapping[Language, str]] = {
    "en": "Campaign report",
    "es": "Informe de campañas",
    "pt": "Relatório de campanha",
}
_GOOGLE_TOTALS: Final[Names] = {
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


def _draw_google(dice: Dice, account: Account, period: Period) -> Form:
    """A download: name and days of the report, the header, rows, and two rows of totals."""
    language: Language = dice.pick(("en", "es", "pt"))
    style = dice.pick(_GOOGLE_STYLES[language])
    names = dict(_GOOGLE_NAMES)
    if dice.happens(30):
        names["campaign_id"] = _GOOGLE_ID
    names |= _draw_ignored(dice, _GOOGLE_IGNORED)
    # The first column holds the label of the totals, so it is none of figures.
    first = "status" if "status" in names and dice.happens(30) else "date"
    columns = _name_columns(dice, names, language, account, first=first)
    said = " - ".join(_say_day(day, language) for day in period)
    if "," in said and style.delimiter == ",":
        said = f'"{said}"'
    missing = {cell: "--" for _, cell in columns}
    return Form(
        style=style,
        columns=columns,
        missing=" --",
        file_name=f"{_GOOGLE_TITLES[language]}.csv",
        before=(_GOOGLE_TITLES[language], said),
        totals=[missing | {first: label} for label in _GOOGLE_TOTALS[language]],
        percent="%",
        declares_period=True,
        language=language,
    )


def _say_day(day: date, language: Language) -> str:
    month = _MONTHS[language][day.month - 1]
    if language == "en":
        return f"{month} {day.day}, {day.year}"
    return f"{day.day} de {month} de {day.year}"


_META_STYLES: Final[Mapping[Language, Sequence[Style]]] = {
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
_META_NAMES: Final[Mapping[str, Names]] = {
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
_META_IGNORED: Final[Mapping[str, Names]] = {
    "status": {"en": ["Objective"], "es": ["Objetivo"], "pt": ["Objetivo"]},
    "count": {"en": ["Reach"], "es": ["Alcance"], "pt": ["Alcance"]},
    "share": {"en": ["Results"], "es": ["Resultados"], "pt": ["Resultados"]},
}


def _draw_meta(dice: Dice, account: Account, period: Period) -> Form:
    """A table of the Ads Manager: the totals first, the currency in the name of the cost."""
    language: Language = dice.pick(("en", "es", "pt"))
    style = dice.pick(_META_STYLES[language])
    names = {**_META_NAMES, **_draw_ignored(dice, _META_IGNORED)}
    columns = _name_columns(dice, names, language, account, first="campaign_name")
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


_TIKTOK_STYLES: Final = (
    Style(),
    Style(encoding="utf-8-sig", thousands=","),
    Style(day="midnight", line_end="\r\n"),
)
_TIKTOK_NAMES: Final[Mapping[str, Names]] = {
    "campaign_name": {"en": ["Campaign name"]},
    "campaign_id": {"en": ["Campaign ID"]},
    "date": {"en": ["By Day", "Date"]},
    "currency": {"en": ["Currency"]},
    "cost": {"en": ["Cost"]},
    "cpc": {"en": ["CPC (destination)"]},
    "impressions": {"en": ["Impressions"]},
    "clicks": {"en": ["Clicks (destination)"]},
    "ctr": {"en": ["CTR (destination)"]},
    "conversions": {"en": ["Conversions"]},
    "revenue": {"en": ["Total purchase value", "Total complete payment value"]},
}
_TIKTOK_IGNORED: Final[Mapping[str, Names]] = {
    "status": {"en": ["Primary status"]},
    "share": {"en": ["CPM"]},
    "count": {"en": ["Reach"]},
}


def _draw_tiktok(dice: Dice, account: Account, period: Period) -> Form:  # noqa: ARG001 - as all
    """A report in English, its totals in the last row."""
    names = {**_TIKTOK_NAMES, **_draw_ignored(dice, _TIKTOK_IGNORED)}
    columns = _name_columns(dice, names, "en", account, first="campaign_name")
    nothing = {cell: "-" for _, cell in columns}
    return Form(
        style=dice.pick(_TIKTOK_STYLES),
        columns=columns,
        missing="-",
        file_name="Campaign report.csv",
        totals=[nothing | {"campaign_name": "Total of all results", "currency": account.currency}],
        percent=dice.pick(("%", "")),
    )


def _draw_ignored(dice: Dice, names: Mapping[str, Names]) -> dict[str, Names]:
    return {cell: name for cell, name in names.items() if dice.happens(60)}


def _name_columns(
    dice: Dice, names: Mapping[str, Names], language: Language, account: Account, *, first: str
) -> list[Column]:
    """One name for each column; half of the files have them in an order of their own."""
    cells = [first, *(cell for cell in names if cell != first)]
    if dice.happens(50):
        cells[1:] = dice.shuffle(cells[1:])
    return [
        (dice.pick(names[cell][language]).format(currency=account.currency), cell) for cell in cells
    ]


_DRAWN: Final[Mapping[str, Callable[[Dice, Account, Period], Form]]] = {
    "google_ads": _draw_google,
    "meta_ads": _draw_meta,
    "tiktok_ads": _draw_tiktok,
}
