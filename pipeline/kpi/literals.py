"""Values as SQL that says nothing but the value; pure."""

from collections.abc import Mapping
from datetime import date

from pipeline.errors import UsageError
from pipeline.kpi.relations import quote_name


def write_arguments(values: Mapping[str, object]) -> str:
    """The arguments of a prepared statement.

    Args:
        values: By the names of its parameters, which are ours; may be empty.

    Returns:
        Such as `("day" := date '2024-01-31', "top" := '5'::bigint)`; empty where there are none.

    Raises:
        TypeError: A value is of none of the kinds of `write_literal`.
        UsageError: A text is not Unicode.
    """
    arguments = ", ".join(
        f"{quote_name(name)} := {write_literal(value)}" for name, value in values.items()
    )
    return f"({arguments})" if arguments else ""


def write_literal(value: object) -> str:
    """A value that is None, a text, an integer, a float, a day, or a list of these."""
    match value:
        case None:
            return "null"
        case str():
            return _write_text(value)
        case int():
            return f"'{value}'::bigint"
        case float():
            return f"'{value!r}'::double"
        case date():
            return f"date '{value.isoformat()}'"
        case list():
            return f"[{', '.join(map(write_literal, value))}]"
    raise TypeError(f"{type(value).__name__} is no kind of value that a statement takes")


def _write_text(text: str) -> str:
    """By the digits of its bytes: whatever is in a text, it can be nothing but a text."""
    try:
        digits = text.encode().hex()
    except UnicodeEncodeError as error:
        raise UsageError(f"{text!r} is not Unicode, so nothing is called that") from error
    return f"decode(from_hex('{digits}'))"
