"""Which contract a file is of, told by its header, and how the file lies before us."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.contracts.model import Contract, Dialect, Encoding
from pipeline.errors import BadFileError
from pipeline.read.choose import Miss, choose_layout
from pipeline.read.encoding import (
    ENCODING_NAMES,
    allows,
    decode_lines,
    find_mark,
    is_damaged_utf8,
    is_strictly,
    not_decodable,
)
from pipeline.read.header import HeaderMatch, HeaderMiss, has_one_of, match_header, read_names
from pipeline.read.kind import refuse_other_kinds
from pipeline.read.labels import find_labelled
from pipeline.read.layout import Layout
from pipeline.read.open import open_delivery
from pipeline.read.parquet import lay_out_parquet
from pipeline.read.period import find_period

HEAD_BYTES: Final = 1 << 16

_ENCODINGS: Final[tuple[Encoding, ...]] = ("utf-8", "utf-16", "windows-1252")
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LANGUAGES: Final = {"en": "English", "es": "Spanish", "pt": "Portuguese"}


def recognise(
    path: Path,
    contracts: Iterable[Contract],
    *,
    source: str | None = None,
    scratch: Path | None = None,
    name: str | None = None,
) -> Layout:
    """Tells the contract whose header a file has, and where in the file everything is.

    Only the head of a file is read, but where a contract's encodings need all of it.

    Args:
        path: A local file, plain or gzip.
        contracts: To choose from; those of generated data are passed over.
        source: Of the folder that it lies in: its contracts are tried first, all others only
            if none of them fits.
        scratch: A folder for temporary files; the system's where not given.
        name: The file's name as delivered, where `path` has another.

    Raises:
        BadFileError: It is no text file, or of no contract, or of more than one.
    """
    wanted = [contract for contract in contracts if "raw" not in contract.formats]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        opened = open_delivery(path, Path(folder), name=name)
        if opened.format == "parquet":
            return lay_out_parquet(opened.path, wanted, source=source)
        return _recognise_text(opened.path, wanted, source)


def _recognise_text(path: Path, contracts: Sequence[Contract], source: str | None) -> Layout:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    refuse_other_kinds(head)
    csvs = [contract for contract in contracts if "csv" in contract.formats]
    text = _Text(path, head, source)
    try:
        return choose_layout(csvs, text.fit, source=source)
    except BadFileError as error:
        if error.rule == "header_mismatch":
            text.explain(csvs)
        raise


@dataclass(frozen=True, slots=True)
class _Place:
    """A line that a contract takes for a header."""

    dialect: Dialect
    encoding: Encoding
    line: int
    match: HeaderMatch
    before: list[str]


class _Text:
    """A text file that contracts are held against."""

    def __init__(self, path: Path, head: bytes, source: str | None) -> None:
        self._path = path
        self._head = head
        self._source = source
        self._mark = find_mark(head)
        self._strict: dict[Encoding, bool] = {}

    def fit(self, contract: Contract) -> Layout | list[Miss]:
        """Lays the file out by a contract, or says in which ways it does not fit."""
        misses: list[Miss] = []
        places: list[_Place] = []
        allowed = {encoding for dialect in contract.dialects for encoding in dialect.encodings}
        for dialect, encoding in self._list_ways(contract):
            place = self._find_header(contract, dialect, encoding, misses)
            if place is None:
                continue
            if allowed == {"utf-8"} or self._is_strictly(encoding):
                return self._try_layout(contract, place)
            places.append(place)
        for place in places:
            if place.encoding == "utf-8":
                # A few rows are damaged: they are set aside one by one.
                return self._try_layout(contract, place)
        if places:
            error = not_decodable([place.encoding for place in places])
            return [_refuse(contract, places[0], error)]
        return misses

    def _try_layout(self, contract: Contract, place: _Place) -> Layout | list[Miss]:
        try:
            return self._lay_out(contract, place)
        except BadFileError as error:
            return [_refuse(contract, place, error)]

    def explain(self, contracts: Sequence[Contract]) -> None:
        """Raises a clearer error where another encoding or delimiter would have fitted."""
        for contract in contracts:
            for dialect in contract.dialects:
                self._explain_encoding(contract, dialect)
        for contract in contracts:
            for dialect in contract.dialects:
                self._explain_delimiter(contract, dialect)
        first = decode_lines(self._head, "utf-8", 1)[0]
        if self._mark == "utf-16" and not any(
            "utf-16" in dialect.encodings for one in contracts for dialect in one.dialects
        ):
            raise BadFileError("encoding", "UTF-16 text; expected UTF-8")
        if self._mark != "utf-16" and first is None:
            raise BadFileError(
                "encoding", f"the header is not UTF-8 at byte {_find_fault(self._head)}"
            )

    def _explain_encoding(self, contract: Contract, dialect: Dialect) -> None:
        for encoding in _ENCODINGS:
            if encoding in dialect.encodings or not allows(self._mark, encoding):
                continue
            if self._find_header(contract, dialect, encoding, []):
                expected = " or ".join(ENCODING_NAMES[one] for one in dialect.encodings)
                raise BadFileError(
                    "encoding",
                    f"the header fits {contract.name!r} in {ENCODING_NAMES[encoding]}; "
                    f"expected {expected}: save the file in that encoding",
                )

    def _explain_delimiter(self, contract: Contract, dialect: Dialect) -> None:
        for delimiter, word in _DELIMITERS.items():
            if delimiter == dialect.delimiter:
                continue
            for encoding in _ENCODINGS:
                if allows(self._mark, encoding) and self._find_header(
                    contract, dialect, encoding, [], delimiter=delimiter
                ):
                    raise BadFileError(
                        "header_mismatch",
                        f"the header fits {contract.name!r} with a {word} between cells; "
                        f"expected a {_say_delimiter(dialect)}",
                    )

    def _list_ways(self, contract: Contract) -> Iterator[tuple[Dialect, Encoding]]:
        for dialect in contract.dialects:
            for encoding in dialect.encodings:
                if allows(self._mark, encoding):
                    yield dialect, encoding

    def _find_header(
        self,
        contract: Contract,
        dialect: Dialect,
        encoding: Encoding,
        misses: list[Miss],
        *,
        delimiter: str = "",
    ) -> _Place | None:
        """The first line that is a header; what the others lack is added to `misses`."""
        lines = decode_lines(self._head, encoding, contract.preamble.lines + 1)
        for number, line in enumerate(lines, start=1):
            if line is None or not line.strip():
                continue
            names = read_names(line, delimiter or dialect.delimiter)
            found = match_header(names, contract, dialect.languages)
            if isinstance(found, HeaderMatch) and number == 1 and self._is_anyones(names, contract):
                found = _miss_marks(found, contract)
            if isinstance(found, HeaderMiss):
                misses.append(Miss(contract, found))
            else:
                before = [text or "" for text in lines[: number - 1]]
                return _Place(dialect, encoding, number, found, before)
        return None

    def _is_anyones(self, names: Sequence[str], contract: Contract) -> bool:
        marks = contract.recognised_by_one_of
        return bool(marks) and contract.source != self._source and not has_one_of(names, marks)

    def _is_strictly(self, encoding: Encoding) -> bool:
        if encoding not in self._strict:
            found = is_strictly(self._path, encoding)
            if found and encoding == "windows-1252" and self._strict.get("utf-8") is False:
                found = not is_damaged_utf8(self._path)
            self._strict[encoding] = found
        return self._strict[encoding]

    def _lay_out(self, contract: Contract, place: _Place) -> Layout:
        match, dialect = place.match, place.dialect
        _need_days(contract, place)
        return Layout(
            contract=contract,
            dialect=dialect,
            format="csv",
            encoding=place.encoding,
            header_line=place.line,
            width=match.width,
            positions=match.positions,
            breakdowns=match.breakdowns,
            end_position=match.end_position,
            fold_positions=match.fold_positions,
            ignored=match.ignored,
            ignored_positions=match.ignored_positions,
            currency=match.currency,
            period=find_period(
                place.before,
                contract.preamble.period_formats,
                languages=dialect.languages,
                delimiter=dialect.delimiter,
            ),
            time_zone=find_labelled(
                place.before, contract.preamble.zone_labels, delimiter=dialect.delimiter
            ),
            why=_say_why(place),
        )


def _need_days(contract: Contract, place: _Place) -> None:
    """Refuses a report whose preamble says that a row is of more or less than a day.

    Raises:
        BadFileError: `not_by_day`.
    """
    about = contract.preamble
    said = find_labelled(place.before, about.step_labels, delimiter=place.dialect.delimiter)
    if said is not None and said.casefold() not in map(str.casefold, about.daily_words):
        expected = " or ".join(map(repr, about.daily_words))
        raise BadFileError(
            "not_by_day",
            f"the lines before the header say that its rows are {said!r}; expected {expected}",
        )


def _find_fault(head: bytes) -> int:
    """Where the first byte stands that is not UTF-8; the whole head where all are."""
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(head)


def _miss_marks(match: HeaderMatch, contract: Contract) -> HeaderMiss:
    """A header that fits a contract, and could be anyone's."""
    return HeaderMiss(
        known=len(match.positions),
        missing=(),
        unknown=(),
        rule="header_mismatch",
        detail=(
            "its columns could be anyone's, and nothing says whose they are: land it with --source "
            f"{contract.source} if they are that, or with a contract of your own"
        ),
    )


def _refuse(contract: Contract, place: _Place, error: BadFileError) -> Miss:
    """A contract whose header fits, and something else does not."""
    return Miss(
        contract,
        HeaderMiss(
            known=place.match.width, missing=(), unknown=(), rule=error.rule, detail=str(error)
        ),
    )


def _say_why(place: _Place) -> str:
    where = "its header" if place.line == 1 else f"its header on line {place.line}"
    languages = [_LANGUAGES.get(code, code) for code in place.dialect.languages]
    parts = ["/".join(languages)] if languages else []
    if place.dialect.delimiter != ",":
        parts.append(_say_delimiter(place.dialect))
    if place.encoding != "utf-8":
        parts.append(ENCODING_NAMES[place.encoding])
    return ", ".join([where, *parts])


def _say_delimiter(dialect: Dialect) -> str:
    return _DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter))
