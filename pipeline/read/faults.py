"""What can be wrong with a line before anyone looks into its cells."""

import base64

import numpy as np
import numpy.typing as npt

from pipeline.schema import Fault

MAX_LINE_BYTES = 1 << 16

_CONTROL = bytes(code for code in range(32) if code not in (9, 10)) + b"\x7f"
_IS_CONTROL = np.isin(np.arange(256), list(_CONTROL))

Positions = npt.NDArray[np.int64]


def find_line_faults(data: bytes, starts: Positions, ends: Positions) -> dict[int, Fault]:
    """The lines that no reader may look into, by index: not UTF-8, control characters, too long.

    Args:
        data: Whole lines.
        starts: Where each line begins.
        ends: Where each line ends, without its line end.
    """
    faults: dict[int, Fault] = {}
    array = np.frombuffer(data, np.uint8)
    try:
        data.decode()
    except UnicodeDecodeError:
        for index in _lines_of(array >= 128, ends):
            if fault := _judge_utf8(data[starts[index] : ends[index]]):
                faults[index] = fault
    if len(data.translate(None, _CONTROL)) != len(data):
        for index in _lines_of(_IS_CONTROL[array], ends):
            code = next(byte for byte in data[starts[index] : ends[index]] if byte in _CONTROL)
            fault = Fault("control_char", "", f"U+{code:04X}", "no control characters")
            faults.setdefault(index, fault)
    for index in np.flatnonzero(ends - starts > MAX_LINE_BYTES).tolist():
        faults.setdefault(index, length_fault(int(ends[index] - starts[index])))
    return faults


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


def _lines_of(marked: npt.NDArray[np.bool_], ends: Positions) -> list[int]:
    lines: list[int] = np.unique(np.searchsorted(ends, np.flatnonzero(marked))).tolist()
    return lines


def _judge_utf8(line: bytes) -> Fault | None:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        value = f"byte {line[error.start]:#04x} at {error.start}"
        return Fault("invalid_utf8", "", value, "UTF-8")
    return None
