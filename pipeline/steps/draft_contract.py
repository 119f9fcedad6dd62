"""Drafts a contract for a file that none fits: what the file shows, for a person to finish."""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from pipeline.contracts import Contract, Dialect, load_contracts
from pipeline.contracts.dates import match_date
from pipeline.contracts.model import ColumnType
from pipeline.errors import BadFileError, UsageError
from pipeline.read.open import open_delivery
from pipeline.read.recognise import recognise
from pipeline.read.sample import Sample, take_sample
from pipeline.settings import Settings
from pipeline.steps.guess_columns import CURRENCY, Guess, guess_columns
from pipeline.steps.label import is_source
from pipeline.validate.notation import PERCENT_SIGN, get_notation

CHECK: Final = "check:"
"""What stands behind it in a draft is for a person to confirm."""

_NAME: Final = re.compile(r"[^a-z0-9]+")
_DATE_FORMS: Final = (
    *("yyyy-mm-dd", "yyyy/mm/dd", "yyyymmdd", "yyyy-mm-dd time"),
    *("dd/mm/yyyy", "mm/dd/yyyy", "d/m/yyyy", "m/d/yyyy"),
    *("dd.mm.yyyy", "d.m.yyyy", "dd-mm-yyyy", "mm-dd-yyyy"),
)
_DIALECTS: Final = (
    *(Dialect(), Dialect(decimal=","), Dialect(thousands=(",",))),
    *(Dialect(decimal=",", thousands=(".",)), Dialect(decimal=",", thousands=(" ",))),
    Dialect(thousands=(" ",)),
)
"""How numbers may be written, the plainest first."""

_MODES: Final = "a file replaces the days that it covers; else append or upsert"
_NEEDED: Final = ("date", "cost")
_WORDS: Final[Mapping[str, str]] = {"date": "the day of a row", "cost": "what was paid"}


def draft_contract(path: Path, *, settings: Settings, name: str | None = None) -> str:
    """Drafts a contract from the head of a text file.

    Args:
        path: A local file, plain or gzip.
        settings: Where further contracts are.
        name: Of the contract; made from the file's name where not given.

    Returns:
        The TOML text. It can be loaded as it is; where the file has no column for what every
        row needs, it says so in the place of its name.

    Raises:
        UsageError: A contract fits the file already, or it is no text with a header; or no
            contract may have the name.
    """
    if name is None:
        name = _NAME.sub("_", path.name.split(".")[0].lower()).strip("_") or "x"
    if not is_source(name):
        raise UsageError(
            f"no contract may be named {name!r}; expected --name with a plain name of your own, as "
            f"the contract will stand in NAME.toml"
        )
    contracts = load_contracts(settings.contracts_dir, leave_out_empty=True)
    known = [one for one in contracts.values() if "raw" not in one.formats]
    try:
        with tempfile.TemporaryDirectory(prefix="adlake-") as folder:
            opened = open_delivery(path, Path(folder))
            if opened.format == "parquet":
                raise UsageError(f"{path} is Parquet; a draft is made from CSV")
            _refuse_known(path, opened.path, known)
            sample = take_sample(opened.path)
    except BadFileError as error:
        raise UsageError(f"{path} cannot be read ({error.rule}): {error}") from error
    return write_draft(sample, known, name=name)


def _refuse_known(path: Path, plain: Path, contracts: Sequence[Contract]) -> None:
    try:
        layout = recognise(plain, contracts)
    except BadFileError as error:
        if error.rule != "header_mismatch":
            raise
        return
    raise UsageError(
        f"{path} is of the contract {layout.contract.name} (by {layout.why}): "
        f"`adlake contract check` shows how it is read"
    )


def write_draft(sample: Sample, contracts: Iterable[Contract], *, name: str) -> str:
    """The text of a draft. Pure.

    Args:
        sample: The head of the file.
        contracts: Whose names of columns are known.
        name: Of the contract, and of its source.
    """
    guesses, unread = guess_columns(sample.names, list(contracts))
    place_of = {guess.name: place for place, guess in guesses.items()}
    sample, label = _set_totals_aside(sample, place_of.get("date"))
    numbers = [
        (guess.type, text)
        for place, guess in guesses.items()
        if guess.type in {"integer", "decimal"}
        for text in sample.take(place)
    ]
    columns = set(place_of)
    dates = sample.take(place_of["date"]) if "date" in place_of else []
    parts = [
        _write_top(name, sample, unread),
        _write_dialect(sample, numbers, dates),
        _write_totals(label),
        _write_constants(columns, guesses.values()),
        *(_write_missing(one) for one in _NEEDED if one not in columns),
        *(_write_column(guess, sample.take(place)) for place, guess in guesses.items()),
    ]
    if not columns & {"campaign_id", "campaign_name"}:
        parts.append(_write_missing("campaign_name"))
    return "\n".join(part for part in parts if part)


def _set_totals_aside(sample: Sample, date: int | None) -> tuple[Sample, str]:
    """The sample without a last row that has a label and no day, and that label."""
    if date is None or len(sample.rows) < 2:
        return sample, ""
    *rows, last = sample.rows
    label = next((text.strip() for text in last if text.strip()), "")
    has_digit = re.compile("[0-9]").search
    if has_digit(last[date]) or has_digit(label) or not all(has_digit(row[date]) for row in rows):
        return sample, ""
    return sample._replace(rows=tuple(rows)), label


def _write_totals(label: str) -> str:
    if not label:
        return ""
    lines = ["[totals]", 'position = "last"', "empty = []", f"labels = [{_quote(label)}]"]
    return "\n".join([*lines[:-1], f"{lines[-1]}    # {CHECK} a row of totals, which is no data\n"])


def _write_top(name: str, sample: Sample, unread: Sequence[str]) -> str:
    lines = [
        f"# A draft of `adlake contract new`. What stands behind {CHECK!r} is a guess.",
        f"name = {_quote(name)}",
        f"description = {_quote(f'{CHECK} what these files are, in one line')}",
        f"source = {_quote(name)}",
        'formats = ["csv"]',
        f'mode = "replace_window"    # {CHECK} {_MODES}',
    ]
    if unread:
        shown = ", ".join(_show(one) for one in unread)
        lines.append(f'extra_columns = "ignore"    # {CHECK} nobody reads {shown}')
    if sample.header_line > 1:
        lines += ["", "[preamble]", f"lines = {sample.header_line - 1}"]
    return "\n".join(lines) + "\n"


def _write_dialect(
    sample: Sample, numbers: Sequence[tuple[ColumnType, str]], dates: Sequence[str]
) -> str:
    texts = [(kind, re.sub(f"{PERCENT_SIGN}$", "", text)) for kind, text in numbers]
    words = sorted({text.lower() for _, text in texts if not re.search(r"[0-9]", text)})
    figures = [(kind, text) for kind, text in texts if re.search(r"[0-9]", text)]
    lines = [
        "[dialect]",
        f"encodings = [{_quote(sample.encoding)}]",
        f"delimiter = {_quote(sample.delimiter)}",
        *_write_notation(figures),
    ]
    lines.append(f"null_words = [{', '.join(map(_quote, dict.fromkeys(['', *words])))}]")
    forms = [form for form in _DATE_FORMS if _all_are_dates(dates, form)]
    if dates and not forms:
        lines.append(f"# {CHECK} no known form reads all dates, such as {_show(dates[0])}")
    elif forms:
        others = [form for form in forms[1:] if _differ(dates, forms[0], form)]
        note = f"    # {CHECK} {' and '.join(others)} would fit as well" if others else ""
        lines.append(f"date_formats = [{_quote(forms[0])}]{note}")
    return "\n".join(lines) + "\n"


def _write_notation(figures: Sequence[tuple[ColumnType, str]]) -> list[str]:
    fitting = [one for one in _DIALECTS if all(_fits(one, *figure) for figure in figures)]
    chosen, *others = fitting or _DIALECTS[:1]
    lines = []
    if not fitting:
        odd = next(text for kind, text in figures if not _fits(chosen, kind, text))
        lines.append(f"# {CHECK} no notation reads all numbers, such as {_show(odd)}")
    for other in others:
        text = next((text for _, text in figures if _read_otherwise(text, chosen, other)), None)
        if text is not None:
            words = get_notation(other).words
            lines.append(f"# {CHECK} numbers such as {_show(text)} may as well have {words}")
    if lines or chosen != _DIALECTS[0]:
        lines.append(f"decimal = {_quote(chosen.decimal)}")
        lines.append(f"thousands = [{', '.join(map(_quote, chosen.thousands))}]")
    return lines


def _fits(dialect: Dialect, kind: ColumnType, figure: str) -> bool:
    notation = get_notation(dialect)
    pattern = notation.integer if kind == "integer" else notation.number
    return pattern.fullmatch(figure) is not None


def _read_otherwise(figure: str, one: Dialect, other: Dialect) -> bool:
    """Whether two ways to write numbers, both of which fit, read other ones."""
    plain, turned = (get_notation(dialect).make_plain(figure) for dialect in (one, other))
    return Decimal(plain) != Decimal(turned)


def _all_are_dates(texts: Sequence[str], form: str) -> bool:
    given = [text for text in texts if text]
    try:
        return bool(given) and all(match_date(text, form) for text in given)
    except ValueError:
        return False


def _differ(texts: Sequence[str], form: str, other: str) -> bool:
    """Whether two forms, both of which fit, read other days."""
    return any(match_date(text, form) != match_date(text, other) for text in texts if text)


def _write_constants(columns: set[str], guesses: Iterable[Guess]) -> str:
    lines = ["[constants]"]
    if "platform" not in columns:
        lines.append(f"platform = {_quote(f'{CHECK} where the advertisements are shown')}")
    has_code = any(CURRENCY in guess.header for guess in guesses)
    if "currency" not in columns and not has_code:
        lines.append(f'# currency = "EUR"    # {CHECK} here, or with `adlake land --currency`')
    if "account" not in columns:
        lines.append(f'# account = "main"    # {CHECK} here, or with `adlake land --account`')
    return "\n".join(lines) + "\n" if len(lines) > 1 else ""


def _write_missing(name: str) -> str:
    kind = {"date": "date", "cost": "decimal"}.get(name, "text")
    meaning = _WORDS.get(name, "the campaign")
    return "\n".join(
        [
            f"[columns.{name}]",
            f"headers = [{_quote(f'{CHECK} the name of the column with {meaning}')}]",
            f"type = {_quote(kind)}",
            "required = true",
            "",
        ]
    )


def _write_column(guess: Guess, texts: Sequence[str]) -> str:
    lines = [f"[columns.{guess.name}]", f"headers = [{_quote(guess.header)}]"]
    lines.append(f"type = {_quote(guess.type)}")
    # A delivery speaks for its account, so each row has to say which it is of.
    if guess.name in {*_NEEDED, "account"} or guess.name.startswith("campaign"):
        lines.append("required = true")
    if guess.identifier:
        lines.append("identifier = true")
    if guess.minimum is not None:
        lines.append(f"minimum = {guess.minimum}")
    percent = guess.type == "decimal" and any(text.endswith("%") for text in texts)
    unit = "percent" if percent else guess.unit
    if unit != "one":
        lines.append(f"unit = {_quote(unit)}    # {CHECK} as the file means it")
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    """A text as TOML has it; a basic string of TOML is written as JSON's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _show(text: str) -> str:
    """A text of the file inside a comment, which it must not end."""
    return ascii(text) if not text.isprintable() else repr(text)
