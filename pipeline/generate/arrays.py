"""numpy to Arrow without a Python object a value; the bytes are shared wherever they can be.

Arrays are made from buffers and not by `pa.array`, which imports pandas, where that is installed,
only to ask whether its argument is from there.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Texts: TypeAlias = pa.StringArray
Column: TypeAlias = "pa.Array[Any]"
Integers: TypeAlias = npt.NDArray[np.integer[Any]]

# The same numbers as `schema.DECIMAL` in half the bytes.
_DECIMAL: Final = pa.decimal64(18, 6)
_UNITS: Final = 1_000_000  # of a decimal's last place in a whole one


def to_texts(texts: Iterable[str]) -> Texts:
    """Python strings as Arrow strings."""
    letters = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, letters)], dtype=np.int32)
    return pa.StringArray.from_buffers(
        len(letters), _buffer(offsets), pa.py_buffer(b"".join(letters))
    )


def to_texts_of_width(letters: npt.NDArray[np.uint8]) -> Texts:
    """A matrix of UTF-8 bytes as strings, one a row, all equally long."""
    count, width = letters.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, _buffer(offsets), _buffer(letters))


def pick(texts: Texts, indices: Integers) -> Texts:
    """The text at each index; every index must be there."""
    return texts.take(to_integers(indices))


def join_texts(*parts: Column, between: str = "") -> Texts:
    """Texts put together of one from each of `parts`, which are equally long."""
    # The stubs miss that what stands between may be one text for all.
    mark = to_texts([between])[0]
    joined: Texts = pc.binary_join_element_wise(*parts, mark)  # type: ignore[call-overload]  # see above
    return joined


def to_integers(values: Integers) -> Column:
    """Whole numbers as they are."""
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, _buffer(values)])


def to_decimals(values: npt.NDArray[np.int64], *, places: int) -> Column:
    """Decimals from whole numbers that count their `places`-th place, 0 .. 6; never by a float."""
    unscaled = values * (_UNITS // 10**places)
    return pa.Array.from_buffers(_DECIMAL, len(values), [None, _buffer(unscaled)])


def to_dictionary(indices: Integers, texts: Texts) -> Column:
    """Texts that repeat, as indices of distinct ones; every index must be there."""
    return pa.DictionaryArray.from_arrays(to_integers(indices), texts, safe=False)


def _buffer(values: npt.NDArray[Any]) -> pa.Buffer:
    # An array offers its bytes by a protocol that the stubs of 3.11 cannot name.
    return pa.py_buffer(memoryview(np.ascontiguousarray(values)))  # type: ignore[arg-type]  # above
