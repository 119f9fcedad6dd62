"""Rows as JSON, CSV and cells."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipeline.kpi.output import render_cells, render_csv, render_json
from pipeline.kpi.query import Result

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**127), 2**127)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=6)
    | st.text()
)


@given(VALUES)
def test_a_value_survives_json_exactly(value: object) -> None:
    text = render_json(Result(("a",), ((value,),)))

    [row] = json.loads(text, parse_float=Decimal if isinstance(value, Decimal) else float)

    assert row["a"] == value


def test_json_is_one_object_a_row_with_exact_numbers() -> None:
    result = Result(
        ("name", "spend", "day"),
        (
            ("Mujer ü\n", Decimal("0.100000"), date(2024, 2, 29)),
            (None, Decimal("12345678901234567890.000001"), None),
        ),
    )

    assert render_json(result) == (
        "[\n"
        '  {"name": "Mujer ü\\n", "spend": 0.1, "day": "2024-02-29"},\n'
        '  {"name": null, "spend": 12345678901234567890.000001, "day": null}\n'
        "]\n"
    )


def test_nan_and_infinity_are_null_in_json_and_empty_in_csv() -> None:
    result = Result(("a", "b", "c"), ((float("nan"), [float("inf"), 1], float("-inf")),))

    assert json.loads(render_json(result)) == [{"a": None, "b": [None, 1], "c": None}]
    assert render_csv(result) == 'a,b,c\n,"[null, 1]",\n'


def test_every_kind_of_value_has_one_text() -> None:
    row = (None, True, 10, 1e-06, Decimal("100.000000"), Decimal("1E+3"), "x", b"\x01\xff")
    times = (date(2024, 1, 2), datetime(2024, 1, 2, 3, tzinfo=UTC), datetime(2024, 1, 2, 3))  # noqa: DTZ001 - naive on purpose
    nested = ({"k": [Decimal("0.50"), None]}, [("m", 1)])

    [cells] = render_cells(Result(tuple("abcdefghijklm"), ((*row, *times, *nested),)))

    assert cells[:8] == ("", "true", "10", "1e-06", "100", "1000", "x", "01ff")
    assert cells[8:11] == ("2024-01-02", "2024-01-02T03:00:00Z", "2024-01-02T03:00:00")
    assert cells[11:] == ('{"k": [0.5, null]}', '[["m", 1]]')


def test_csv_quotes_what_must_be_quoted() -> None:
    assert render_csv(Result(("a", "b"), (('x,"y"', "plain"),))) == 'a,b\n"x,""y""",plain\n'
