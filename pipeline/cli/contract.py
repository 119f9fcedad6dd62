"""Commands on contracts: contract list, check, new."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.command import Session, on_lake
from pipeline.cli.messages import count
from pipeline.cli.options import Format, FormatOption, LabelOptions
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.steps.check_file import Checked

contract = typer.Typer(help="See how the files of a source are read.")


@contract.command("list")
@on_lake
def list_contracts(
    session: Session,
    form: FormatOption = Format.TABLE,
) -> None:
    """List the contracts: the shipped ones and your own."""
    from pipeline.cli.output import print_result
    from pipeline.contracts import load_contracts
    from pipeline.kpi.query import Result

    rows = tuple(
        (
            one.name,
            one.source,
            one.mode,
            ", ".join(one.formats),
            one.dates.time_zone,
            one.description,
        )
        for one in load_contracts(session.settings.contracts_dir).values()
    )
    columns = ("contract", "source", "mode", "formats", "time_zone", "description")
    print_result(Result(columns, rows), form=form, title="contracts")


@contract.command()
@on_lake
def check(
    session: Session,
    file: Annotated[Path, typer.Argument(help="A file as it was delivered.")],
    label: LabelOptions,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show how a file would be read, and what of it would be rejected; nothing is written."""
    from pipeline.steps.check_file import check_file

    if form is Format.CSV:
        raise UsageError("--format is 'csv'; a check is no table: expected table or json")
    _refuse_no_file(file)
    checked = check_file(
        file,
        settings=session.settings,
        today=datetime.now(UTC).date(),
        label=label.make_label(),
    )
    if form is Format.TABLE:
        _print_checked(checked)
        return
    from pipeline.cli.output import print_record

    print_record(asdict(checked), form=Format.JSON)


@contract.command()
@on_lake
def new(
    session: Session,
    file: Annotated[Path, typer.Argument(help="A CSV file that no contract fits.")],
    name: Annotated[
        str | None,
        typer.Option("--name", help="Of the contract [default: after the file].", metavar="NAME"),
    ] = None,
) -> None:
    """Print the draft of a contract for a file, for you to finish; save it as NAME.toml."""
    from pipeline.steps.draft_contract import draft_contract

    _refuse_no_file(file)
    typer.echo(draft_contract(file, settings=session.settings, name=name), nl=False)


def _refuse_no_file(file: Path) -> None:
    if file.is_dir():
        raise UsageError(f"{file} is a folder; name one of its files")
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file")


def _print_checked(checked: "Checked") -> None:
    from pipeline.cli.output import print_tables
    from pipeline.report.content import make_printable

    typer.echo(f"contract {checked.contract}, by {checked.why}")
    for name, value in checked.dialect.items():
        typer.echo(f"  {name}: {value}")
    if checked.period is not None:
        typer.echo(f"  declares to speak for {checked.period[0]} to {checked.period[1]}")
    typer.echo(f"  days are meant in {checked.time_zone}")
    if checked.breakdown:
        typer.echo(f"  spend is split by {checked.breakdown}")
    if checked.ignored:
        names = (make_printable(name) or "(no name)" for name in checked.ignored)
        typer.echo(f"  not read: {', '.join(names)}")
    print_tables({"columns": checked.mapping, "first rows": checked.rows}, form=Format.TABLE)
    rejected = sum(checked.rejected.values())
    typer.echo(f"{count(checked.accepted, 'row')} would be merged, {rejected:,} rejected")
    if rejected:
        rules = [{"rule": rule, "rows": rows} for rule, rows in checked.rejected.items()]
        print_tables({"rejected": rules, "first of them": checked.rejects}, form=Format.TABLE)
    if checked.totals:
        typer.echo(checked.totals, err=True)
