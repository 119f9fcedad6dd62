"""The encodings of text files: the lines of a head, whole files decoded strictly, and as UTF-8."""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pipeline.contracts.model import Encoding
from pipeline.errors import BadFileError

UTF8_BOM: Final = codecs.BOM_UTF8

ENCODING_NAMES: Final[dict[str, str]] = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "windows-1252": "Windows-1252",
}
"""As people write them."""

_UTF16_BOMS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK_BYTES: Final = 1 << 20


def find_mark(head: bytes) -> Encoding | None:
    """The encoding that a byte order mark names."""
    if head.startswith(UTF8_BOM):
        return "utf-8"
    return "utf-16" if head.startswith(_UTF16_BOMS) else None


def allows(mark: Encoding | None, encoding: Encoding) -> bool:
    """Whether a file with this byte order mark, or without one, can be in an encoding.

    UTF-16 needs its mark: without it nothing says which byte of a pair comes first.
    """
    return encoding == mark if mark else encoding != "utf-16"


def decode_head(head: bytes, codec: str) -> str:
    """The text of a head that may end inside a character, without BOM."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    return decoder.decode(head.removeprefix(UTF8_BOM))


def decode_lines(head: bytes, encoding: Encoding, count: int) -> list[str | None]:
    """The first lines of a file, without BOM and line ends; None where one cannot be decoded."""
    if encoding == "utf-16":
        text = decode_head(head, encoding)
        return [line.removesuffix("\r") for line in text.split("\n", count)[:count]]
    lines = head.removeprefix(UTF8_BOM).split(b"\n", count)[:count]
    return [_decode_line(line.removesuffix(b"\r"), encoding) for line in lines]


def is_strictly(path: Path, encoding: Encoding) -> bool:
    """Whether a whole file is in an encoding."""
    try:
        for _ in _decode(path, encoding):
            pass
    except UnicodeDecodeError:
        return False
    return True


def is_damaged_utf8(path: Path) -> bool:
    """Whether most letters beyond ASCII are UTF-8 in a file that is not UTF-8 throughout.

    In a Windows-1252 file hardly any are; read as that, a damaged file would turn to gibberish.
    """
    sound = broken = 0
    for text in _decode(path, "utf-8", errors="replace"):
        marks = text.count("\N{REPLACEMENT CHARACTER}")
        broken += marks
        sound += len(text) - len(text.encode("ascii", "ignore")) - marks
    return sound > broken


def write_as_utf8(path: Path, encoding: Encoding, target: Path) -> None:
    """Writes a file again in UTF-8, block by block, line by line the same.

    Raises:
        BadFileError: It is not in that encoding.
    """
    try:
        with target.open("wb") as sink:
            for text in _decode(path, encoding):
                sink.write(text.encode())
    except UnicodeDecodeError as error:
        raise not_decodable([encoding]) from error


def not_decodable(encodings: Sequence[Encoding]) -> BadFileError:
    """The error for a file that is in none of the encodings that its contract allows."""
    names = " or ".join(ENCODING_NAMES[encoding] for encoding in encodings)
    return BadFileError(
        "encoding", f"the file is not {names} throughout: save it again in that encoding"
    )


def _decode(path: Path, encoding: Encoding, *, errors: str = "strict") -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)


def _decode_line(line: bytes, encoding: Encoding) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None
