"""What commands say of what they did."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.options import EXIT_LOOK

if TYPE_CHECKING:
    from pipeline.export.run import ExportOutcome
    from pipeline.generate.write import GenerateOutcome
    from pipeline.merge.account import FileAccount
    from pipeline.steps.commit import MergeOutcome
    from pipeline.steps.generate_messy import MessyPlan
    from pipeline.steps.land import LandedFile

_SHOWN = 10
"""So many lines of a kind; `adlake query` over the ledger has all of them."""

_LOOK = "adlake quarantine show"


def count(number: int, noun: str) -> str:
    """A number of things, as a person writes it.

    >>> count(1, "row"), count(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def say_generated(outcome: "GenerateOutcome") -> None:
    """Says what the generator wrote."""
    if outcome.days_written:
        typer.echo(
            f"generated {count(outcome.rows, 'row')} on {count(outcome.days_written, 'day')} "
            f"({outcome.size / 1e6:,.1f} MB)"
        )
    if outcome.days_unchanged:
        typer.echo(f"unchanged: {count(outcome.days_unchanged, 'day')} with the same data already")


def say_messy(plan: "MessyPlan") -> None:
    """Says what the generator delivered, and what is to become of it."""
    files = plan.deliveries
    sources = ", ".join(files["source"].unique().sort())
    typer.echo(
        f"delivered {count(files.height, 'file')} with {count(int(files['rows'].sum()), 'row')} "
        f"of {sources}; the master must hold {count(plan.rows.height, 'row')} (adlake verify)"
    )


def say_landed(landed: "Sequence[LandedFile]") -> None:
    """Says where each file lies, and which contract reads it."""
    for file in landed:
        typer.echo(f"{file.given} -> {file.path} (contract {file.contract}, by {file.why})")
    if lacking := [file for file in landed if file.lacks_account]:
        typer.echo(
            f"{lacking[0].given} names no account: files of two accounts would replace each "
            f"other; land them with --account to keep them apart",
            err=True,
        )


def say_merged(outcome: "MergeOutcome", *, nothing: str = "nothing new to merge") -> None:
    """Says what the merge decided, or that there was nothing, and which files ask for a look."""
    if outcome.transaction is None:
        typer.echo(f"{nothing}; master at version {outcome.version}")
    else:
        kinds = Counter(account.outcome for account in outcome.accounts)
        files = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
        typer.echo(
            f"merged {count(len(outcome.accounts), 'file')} ({files}): "
            f"{count(outcome.rows_added, 'row')} in, {outcome.rows_removed:,} out; "
            f"master at version {outcome.version} with {count(outcome.rows, 'row')}"
        )
    _say_quarantined(outcome)
    if outcome.unfinished:
        typer.echo(
            f"not complete yet, or gone: {count(len(outcome.unfinished), 'file')}, first "
            f"{outcome.unfinished[0]}: the next merge looks again",
            err=True,
        )
    if outcome.due:
        typer.echo(
            f"held back until now, and judged again by the next `adlake merge`: "
            f"{count(len(outcome.due), 'file')}, first {outcome.due[0]}",
            err=True,
        )


def say_exported(outcome: "ExportOutcome", directory: Path, *, version: int) -> None:
    """Says what an export wrote, and what its reader should know."""
    typer.echo(
        f"{directory}: {count(outcome.rows, 'row')} of version {version} "
        f"in {count(len(outcome.files), 'file')}"
    )
    say_currencies(outcome.currencies)
    if outcome.leftovers:
        typer.echo(
            f"{len(outcome.leftovers)} lots of an earlier export are still there, first "
            f"{outcome.leftovers[0]}: whoever reads the folder would count them too",
            err=True,
        )


def say_currencies(currencies: Sequence[str]) -> None:
    """Warns where a CSV has money of several currencies, for which it has no column."""
    if len(currencies) > 1:
        typer.echo(
            f"the costs in this CSV are in {', '.join(currencies)}, and it has no column that says "
            f"which: do not add them up; --format parquet has one",
            err=True,
        )


def exit_by(outcome: "MergeOutcome") -> None:
    """Ends with the exit code that asks for a look, where a rule does.

    Raises:
        typer.Exit: A file was refused or left out, or is above the share of rejected rows.
    """
    _say_first([line for one in outcome.to_look_at for line in _list_looks(one)])
    _say_first([f"left as it was: {why}" for why in outcome.left_out])
    if outcome.to_look_at or outcome.left_out:
        raise typer.Exit(EXIT_LOOK)


def _say_quarantined(outcome: "MergeOutcome") -> None:
    for outcome_name, words in (("quarantined", "quarantined"), ("held", "held back")):
        _say_first(
            [
                f"{words} {account.found.path}: {account.reason}: {account.detail}"
                for account in outcome.accounts
                if account.outcome == outcome_name
            ]
        )
    rows = sum(account.quarantined for account in outcome.accounts)
    if rows:
        typer.echo(f"in quarantine with their reason: {count(rows, 'row')}: {_LOOK}", err=True)


def _list_looks(account: "FileAccount") -> Iterator[str]:
    """What a person should know of a file that was merged."""
    if account.outcome in {"quarantined", "held"}:
        return  # said already
    if account.detail:
        yield f"{account.found.path}: {account.detail}"
    if account.has_many_rejects:
        yield (
            f"{account.found.path}: {account.quarantined:,} of {account.rows_in:,} rows were "
            f"rejected; the rest is merged: look at them before you trust its figures"
        )


def _say_first(lines: Sequence[str]) -> None:
    """Says the first of many lines, and how many there are."""
    for line in lines[:_SHOWN]:
        typer.echo(line, err=True)
    if len(lines) > _SHOWN:
        typer.echo(f"... and {len(lines) - _SHOWN:,} more like these", err=True)
