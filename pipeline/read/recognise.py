"""Which contract a text file is of, told by its first line."""

import csv
from collections.abc import Iterable, Sequence

from pipeline.contracts import Contract
from pipeline.errors import BadFileError

HEAD_BYTES = 1 << 16
UTF8_BOM = b"\xef\xbb\xbf"

_MAGIC = (
    (b"\x1f\x8b", "compressed", "gzip data; expected plain CSV"),
    (b"PK\x03\x04", "archive", "a zip archive; expected plain CSV"),
    (b"PAR1", "not_csv", "Parquet data; expected CSV"),
    (b"\xff\xfe", "encoding", "UTF-16 text; expected UTF-8"),
    (b"\xfe\xff", "encoding", "UTF-16 text; expected UTF-8"),
)


def recognise(head: bytes, contracts: Iterable[Contract]) -> Contract:
    """Names the contract whose header the file has.

    Args:
        head: The file's first `HEAD_BYTES`, or all of it.
        contracts: The contracts to choose from; those of other formats are passed over.

    Raises:
        BadFileError: It is no text file, or of no contract, or of more than one.
    """
    header = read_header(head)
    names = header_names(header, ",")
    csvs = [contract for contract in contracts if contract.dialect.format == "csv"]
    matches = [contract for contract in csvs if _matches(contract, header)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        found = " and ".join(contract.name for contract in matches)
        raise BadFileError("ambiguous_contract", f"the header fits {found}; name one")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadFileError("duplicate_column", f"the header names {twice[0]!r} more than once")
    raise BadFileError("header_mismatch", _explain_mismatch(names, csvs))


def read_header(head: bytes) -> str:
    """The first line, without BOM and line end.

    Raises:
        BadFileError: The bytes are not the beginning of a text file with lines.
    """
    for magic, rule, detail in _MAGIC:
        if head.startswith(magic):
            raise BadFileError(rule, detail)
    text = head.removeprefix(UTF8_BOM)
    if not text.strip(b"\r\n"):
        raise BadFileError("empty_file", "the file holds no text")
    if text.lstrip().startswith(b"<"):
        raise BadFileError("not_csv", "markup (XML or HTML); expected CSV")
    if b"\r" in text and b"\n" not in text:
        raise BadFileError("line_ending", "lines end in CR alone; expected LF or CRLF")
    line = text.split(b"\n", 1)[0].removesuffix(b"\r")
    if any(byte < 32 and byte != 9 for byte in line):
        raise BadFileError("not_text", "the first line holds control characters; expected text")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise BadFileError("encoding", f"the header is not UTF-8 at byte {error.start}") from error


def header_names(header: str, delimiter: str) -> list[str]:
    """The header's names, without outer blanks and case."""
    names = next(csv.reader([header], delimiter=delimiter), [])
    return [name.strip().casefold() for name in names]


def order_columns(contract: Contract, header: str) -> Sequence[int]:
    """For each of the contract's columns, its position in the file."""
    names = header_names(header, contract.dialect.delimiter)
    return [names.index(column.header.casefold()) for column in contract.columns]


def _matches(contract: Contract, header: str) -> bool:
    expected = [column.header.casefold() for column in contract.columns]
    return sorted(header_names(header, contract.dialect.delimiter)) == sorted(expected)


def _explain_mismatch(names: Sequence[str], contracts: Sequence[Contract]) -> str:
    def distance(contract: Contract) -> int:
        return len({column.header.casefold() for column in contract.columns} ^ set(names))

    if not contracts:
        return "no contract reads CSV files"
    nearest = min(contracts, key=distance)
    expected = {column.header.casefold() for column in nearest.columns}
    missing = sorted(expected - set(names))
    unknown = sorted(set(names) - expected)
    parts = [f"the header is of no contract; nearest is {nearest.name!r}"]
    if missing:
        parts.append("missing " + ", ".join(missing[:5]))
    if unknown:
        parts.append(f"{len(unknown)} unknown, first {unknown[0][:60]!r}")
    return "; ".join(parts)
