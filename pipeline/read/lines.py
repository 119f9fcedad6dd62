"""The lines of a block, and what can be wrong with one before anyone looks into its cells."""

import base64
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.schema import Fault

MAX_LINE_BYTES = 1 << 16
MAX_OPEN_BYTES = 1 << 26
"""So much is read in search of the end of a line, or of a quote."""

_TAB, _LF, _DELETE = 9, 10, 127
_CONTROL = bytes(code for code in range(32) if code not in (9, 10)) + b"\x7f"
_IS_CONTROL = np.isin(np.arange(256), list(_CONTROL))

Positions = npt.NDArray[np.int64]


class Lines(NamedTuple):
    """The physical lines of some bytes.

    Attributes:
        data: The bytes, with LF line ends.
        starts: Where each line begins.
        ends: Where it ends, without its line end.
    """

    data: bytes
    starts: Positions
    ends: Positions

    def take(self, first: int, last: int | None = None) -> bytes:
        """The bytes of a line, or from one to another."""
        return self.data[self.starts[first] : self.ends[first if last is None else last]]

    def keep(self, count: int) -> "Lines":
        """The first lines, and the data up to the end of the last of them."""
        if count == len(self.starts):
            return self
        size = int(self.ends[count - 1]) + 1 if count else 0
        return Lines(self.data[:size], self.starts[:count], self.ends[:count])

    def count_byte(self, byte: int) -> Positions:
        """How often a byte that is no line end stands in each line."""
        places = np.flatnonzero(np.frombuffer(self.data, np.uint8) == byte)
        before = np.searchsorted(places, self.ends)  # with those of all earlier lines
        return np.diff(before, prepend=0)

    def find(self, marked: npt.NDArray[np.bool_]) -> list[int]:
        """The lines in which at least one byte is marked."""
        found: list[int] = np.unique(np.searchsorted(self.ends, np.flatnonzero(marked))).tolist()
        return found


def find_lines(data: bytes) -> Lines:
    """Finds the lines of some bytes; the last need not end."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LF)
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    return Lines(data, starts, ends)


def find_line_faults(lines: Lines) -> dict[int, Fault]:
    """The lines that no reader may look into, by index: not UTF-8, control characters, too long."""
    faults: dict[int, Fault] = {}
    array = np.frombuffer(lines.data, np.uint8)
    try:
        lines.data.decode()
    except UnicodeDecodeError:
        for index in lines.find(array >= 128):
            if fault := _judge_utf8(lines.take(index)):
                faults[index] = fault
    if _has_control(array):
        for index in lines.find(_IS_CONTROL[array]):
            code = next(byte for byte in lines.take(index) if byte in _CONTROL)
            fault = Fault("control_char", "", f"U+{code:04X}", "no control characters")
            faults.setdefault(index, fault)
    sizes = lines.ends - lines.starts
    for index in np.flatnonzero(sizes > MAX_LINE_BYTES).tolist():
        faults.setdefault(index, length_fault(int(sizes[index])))
    return faults


def _has_control(array: npt.NDArray[np.uint8]) -> bool:
    """Whether a control character stands among the bytes, apart from tabs and line ends."""
    low = np.count_nonzero(array < 32)
    allowed = np.count_nonzero(array == _LF)
    if low > allowed:
        allowed += np.count_nonzero(array == _TAB)
    return bool(low > allowed or (array == _DELETE).any())


def length_fault(size: int) -> Fault:
    """The fault of a row that is too long to be one."""
    return Fault("cell_too_long", "", f"{size} bytes", f"at most {MAX_LINE_BYTES} bytes")


def count_fault(count: int, width: int, *, truncated: bool = False) -> Fault:
    """The fault of a row with another number of cells than the header."""
    rule = "truncated_tail" if truncated and count < width else "column_count"
    return Fault(rule, "", f"{count} columns", f"{width} columns")


def show_bytes(data: bytes) -> str:
    """Text of bytes as delivered; what is not UTF-8 as `base64:...`."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()


def _judge_utf8(line: bytes) -> Fault | None:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        value = f"byte {line[error.start]:#04x} at {error.start}"
        return Fault("invalid_utf8", "", value, "UTF-8")
    return None
