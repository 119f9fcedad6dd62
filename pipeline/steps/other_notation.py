"""Refuses a file of which a number or a date is written as in another country.

It alone would cost its own row. But where `1,204.50` is expected, `10,50` says that `1,204` is no
thousand either, and where `3/31/2024` is, `31/3/2024` says that `1/3/2024` is a day of March.
"""

from collections.abc import Mapping
from dataclasses import replace

from pipeline.errors import BadFileError
from pipeline.schema import Fault
from pipeline.steps.blocks import Block
from pipeline.steps.context import Context
from pipeline.validate import Verdict
from pipeline.validate.notation import get_notation
from pipeline.validate.order import find_other_order

_REASON = "nothing is read, as others could be mistaken"


def refuse_other_notation(block: Block, verdict: Verdict, context: Context) -> None:
    """Refuses the whole file.

    Args:
        block: Some of its records.
        verdict: On them.
        context: What is known of the file.

    Raises:
        BadFileError: `other_notation`.
    """
    _check_numbers(block, verdict.faults, context)
    _check_dates(block, verdict, context)


def _check_numbers(block: Block, faults: Mapping[int, Fault], context: Context) -> None:
    """A contract that knows one way of writing numbers has nothing to mistake them for."""
    dialect = context.dialect
    if all(get_notation(one).is_plain for one in context.layout.contract.dialects):
        return
    mark = "," if dialect.decimal == "." else "."
    other = get_notation(replace(dialect, decimal=mark, thousands=(dialect.decimal,)))
    for row, fault in sorted(faults.items()):
        wrong = fault.rule in {"not_number", "not_integer"}
        if wrong and other.number.fullmatch(fault.value.removesuffix("%").strip()):
            raise BadFileError(
                "other_notation",
                f"{fault.value!r} in {fault.column} on line {block.lines[row]} is a number of "
                f"another country; expected {get_notation(dialect).words}: {_REASON}",
            )


def _check_dates(block: Block, verdict: Verdict, context: Context) -> None:
    if "date" not in block.cells.columns:
        return
    texts = block.cells["date"]
    forms = context.dialect.date_formats
    found = find_other_order(texts, forms, verdict.bounds)
    if found is not None:
        text, form = found
        line = block.lines.filter(texts == text)[0]
        expected = " or ".join(one.upper() for one in forms)
        raise BadFileError(
            "other_notation",
            f"{text!r} in date on line {line} can only be meant as {form.upper()}; expected "
            f"{expected}: {_REASON}; export it with dates as YYYY-MM-DD, or say their order in "
            f"date_formats of a contract of your own",
        )
