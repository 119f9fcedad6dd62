"""Values of statements: the engine has each as it was, whatever is in it."""

import math
from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from pipeline.errors import UsageError
from pipeline.kpi.literals import write_arguments
from pipeline.kpi.query import fetch_result
from tests.cli.test_reading_commands import INJECTIONS

VALUES = [
    *INJECTIONS,
    "",
    "a\0b",
    "año 年 \U0001f680",
    "\\x00",
    None,
    0,
    -(2**63),
    2**63 - 1,
    0.8,
    math.pi,
    5e-324,
    -1e300,
    date.min,
    date(2024, 2, 29),
    date.max,
    [],
    ["2024-01", "it's"],
    [1, None],
]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_the_engine_has_a_value_as_it_was(
    value: object, connection: duckdb.DuckDBPyConnection
) -> None:
    found = fetch_result(
        connection, "select $end as value, $other as other", {"end": value, "other": 1}
    )
    assert found.to_dicts() == [{"value": value, "other": 1}]


def test_only_digits_of_a_text_are_in_the_statement() -> None:
    assert write_arguments({"source": "x')"}) == "(\"source\" := decode(from_hex('782729')))"
    assert write_arguments({}) == ""


def test_what_is_no_value_or_no_unicode_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes is no kind of value"):
        write_arguments({"source": b"x"})
    with pytest.raises(UsageError, match=r"^'a.udcff' is not Unicode, so"):
        write_arguments({"source": "a\udcff"})
