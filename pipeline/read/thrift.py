"""Reads structs of Thrift's compact protocol, in which Parquet writes its footer and page headers.

Only numbers matter to who calls this, so fields are known by their numbers and nothing is named.
"""

from typing import Any, Final

Struct = dict[int, Any]

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_DEEPEST: Final = 32
_LONGEST_VARINT: Final = 10


class ThriftError(Exception):
    """The bytes are no struct of the compact protocol."""


def read_struct(data: bytes, start: int = 0) -> tuple[Struct, int]:
    """Reads one struct.

    Args:
        data: Bytes that hold it, and maybe more after it.
        start: Where it begins.

    Returns:
        Its fields by number, maps left out, and where it ends.

    Raises:
        ThriftError: It is malformed, or goes on after the end of `data`.
    """
    reader = _Reader(data, start)
    return reader.read_struct(0), reader.place


class _Reader:
    def __init__(self, data: bytes, place: int) -> None:
        self._data = data
        self.place = place

    def read_struct(self, depth: int) -> Struct:
        if depth > _DEEPEST:
            raise ThriftError("structs lie too deep in one another")
        fields: Struct = {}
        number = 0
        while head := self._take(1)[0]:
            number = number + (head >> 4) if head >> 4 else self._read_zigzag()
            kind = head & 15
            value = kind == _TRUE if kind in {_TRUE, _FALSE} else self._read_value(kind, depth)
            fields[number] = value
        return fields

    def _read_value(self, kind: int, depth: int) -> Any:
        if kind in {_TRUE, _FALSE, _BYTE}:  # in a list, a truth value takes a byte
            return self._take(1)[0]
        if kind in {_I16, _I32, _I64}:
            return self._read_zigzag()
        if kind in {_LIST, _SET}:
            return self._read_list(depth)
        if kind == _STRUCT:
            return self.read_struct(depth + 1)
        return self._read_bytes(kind, depth)

    def _read_bytes(self, kind: int, depth: int) -> Any:
        if kind == _BINARY:
            return self._take(self._read_varint())
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _MAP:
            if size := self._read_varint():
                kinds = self._take(1)[0]
                for _ in range(self._check_size(size)):
                    self._read_value(kinds >> 4, depth + 1)
                    self._read_value(kinds & 15, depth + 1)
            return None
        raise ThriftError(f"there is no type {kind}")

    def _read_list(self, depth: int) -> list[Any]:
        head = self._take(1)[0]
        size = head >> 4
        if size == 15:
            size = self._read_varint()
        return [self._read_value(head & 15, depth + 1) for _ in range(self._check_size(size))]

    def _check_size(self, size: int) -> int:
        if size > len(self._data) - self.place:
            raise ThriftError("a list is longer than the bytes that are left")
        return size

    def _read_zigzag(self) -> int:
        value = self._read_varint()
        return (value >> 1) ^ -(value & 1)

    def _read_varint(self) -> int:
        value = 0
        for index in range(_LONGEST_VARINT):
            byte = self._take(1)[0]
            value |= (byte & 127) << (7 * index)
            if byte < 128:
                return value
        raise ThriftError("a number never ends")

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self.place:
            raise ThriftError("it is cut off")
        self.place += size
        return self._data[self.place - size : self.place]
