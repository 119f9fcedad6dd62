"""The macros in sql/macros/: formulas and filters that stand in one place each."""

from typing import Final

from pipeline.kpi.statements import read_statement

FORMULAS: Final = ("ratio", "sums", "measures", "view_times", "changes", "stating", "fruitless")
"""Macros over values, each after those that it calls; they need no relation."""

LEDGER_MACRO: Final = "row_account"
"""A macro over the view `ledger`."""

RELATIONS: Final = ("facts", "campaign_facts", "campaigns", "periods")
"""Macros over the views of a version, each after those that it reads."""


def read_macro(name: str) -> str:
    """The statement that makes a macro, or makes it anew."""
    return read_statement(f"macros/{name}")
