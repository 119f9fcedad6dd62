"""Commands that read versions of the lake: kpi, diff, report, export."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.command import Session, on_lake
from pipeline.cli.messages import say_exported
from pipeline.cli.options import (
    ClusterOption,
    CurrencyOption,
    EndOption,
    Filters,
    Format,
    Printing,
    Ranking,
    SafeOption,
    StartOption,
    When,
    parse_day,
)
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.kpi.catalogue import Kpi
    from pipeline.kpi.query import Result
    from pipeline.kpi.selection import Selection
    from pipeline.lake import Snapshot

_log = logging.getLogger(__name__)

NO_VALUE: Final = "is not known, or a ratio whose denominator is 0 or not known"
"""What a dash among a KPI's figures means."""


def _complete_kpi(begun: str) -> list[str]:
    from pipeline.kpi.statements import list_statements

    return [name for name in list_statements("kpi") if name.startswith(begun)]


@on_lake
def kpi(
    session: Session,
    name: Annotated[
        str | None,
        typer.Argument(help="Which one [default: list them].", autocompletion=_complete_kpi),
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List them and what they say.")] = False,
    *,
    filters: Filters,
    ranking: Ranking,
    currency: CurrencyOption = None,
    when: When,
    printing: Printing,
) -> None:
    """Compute a KPI, or list them."""
    from pipeline.cli.output import print_result
    from pipeline.kpi.catalogue import describe_kpi, list_entries
    from pipeline.kpi.selection import EVERYTHING

    selection = filters.select(ranking)
    if name is None or show_list:
        about_rows = (selection, currency, when) != (EVERYTHING, None, When())
        if name is not None or about_rows:
            raise UsageError(
                "adlake kpi without a name, or with --list, lists all KPIs: "
                "leave filters, --currency and the version out, or name one and leave --list out"
            )
        print_result(list_entries(), form=printing.form)
        return
    wanted = describe_kpi(name)
    selection.bind(wanted.params, kpi=name)  # wrong use is said before anything is opened
    if currency is not None and not wanted.is_about_money:
        raise UsageError(f"the KPI {name!r} has no money; leave --currency out")
    snapshot = when.pin(session)
    title = f"{name}, table version {snapshot.version}"
    if printing.form is not Format.TABLE:  # which has it above its columns
        typer.echo(title, err=True)
    result = _compute(session, snapshot, wanted, selection, currency=currency)
    print_result(result, form=printing.form, title=title, dash=NO_VALUE, safe=printing.safe)


def _compute(
    session: Session,
    snapshot: "Snapshot",
    wanted: "Kpi",
    selection: "Selection",
    *,
    currency: str | None,
) -> "Result":
    """The rows of a KPI.

    Says on stderr which rates were used, where money is converted; and where there are no rows,
    which of the names nobody has.
    """
    from pipeline.kpi.catalogue import run_kpi
    from pipeline.kpi.days import make_span
    from pipeline.kpi.rates import describe_rates, read_rates, say_rates
    from pipeline.kpi.rollup import DAILY, KINDS
    from pipeline.kpi.unknown import warn_of_unknown
    from pipeline.kpi.views import narrow_master, open_kpi_connection

    kinds = KINDS if wanted.is_about_campaigns else (DAILY,)
    rates = read_rates(session.lake, currency, selection) if currency is not None else None
    _log.info("reading version %d", snapshot.version)
    with open_kpi_connection(
        session.lake,
        snapshot,
        workers=session.settings.workers,
        stored=kinds,
        kept=(DAILY,),
        quarantine=wanted.is_about_quarantine,
        rates=rates,
    ) as connection:
        # Other KPIs are of the rollup of days, and converted money is added up from all rows.
        if rates is None and (wanted.is_about_campaigns or selection.campaign is not None):
            narrow_master(connection, snapshot, [make_span(selection.start, selection.end)])
        result = run_kpi(connection, wanted.name, selection)
        if rates is not None:
            typer.echo(say_rates(describe_rates(connection, rates.currency)), err=True)
        if not result.rows:
            warn_of_unknown(connection, selection)
    return result


@on_lake
def diff(
    session: Session,
    before: Annotated[int, typer.Argument(metavar="N", help="A version.", min=0, max=2**53)],
    after: Annotated[int, typer.Argument(metavar="M", help="Another one.", min=0, max=2**53)],
    *,
    filters: Filters,
    currency: CurrencyOption = None,
    printing: Printing,
) -> None:
    """Say which KPIs moved between two versions, and by how much."""
    from pipeline.cli.output import print_result
    from pipeline.steps.diff import diff as compare

    selection = filters.select()
    moves = compare(
        session.lake, before, after, selection, settings=session.settings, currency=currency
    )
    title = f"from table version {before} to {after}"
    if moves.campaigns_left_out:
        typer.echo(f"campaigns that moved less: {moves.campaigns_left_out:,}", err=True)
    print_result(moves.result, form=printing.form, title=title, dash=NO_VALUE, safe=printing.safe)


@on_lake
def report(
    session: Session,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write one HTML file instead, to be read anywhere."),
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="en or es.")] = "en",
    *,
    filters: Filters,
    currency: CurrencyOption = None,
    when: When,
    printing: Printing,
) -> None:
    """Print the report: totals, the newest days, campaigns, sources; or write it as HTML."""
    if html and printing.form is not Format.TABLE:
        raise UsageError("--html writes a file; leave --format out")
    from pipeline.cli.output import keep_out_of_lake, print_results
    from pipeline.kpi.rates import read_rates, say_rates
    from pipeline.report.console import print_report
    from pipeline.report.words import find_language
    from pipeline.steps.report import read_figures
    from pipeline.steps.report import report as make_report

    find_language(lang)  # wrong use is said before anything is opened
    selection = filters.select()
    snapshot = when.pin(session)
    rates = read_rates(session.lake, currency, selection) if currency is not None else None
    about = (session.lake, snapshot, selection)
    if html:
        from pipeline.steps.html_report import html_report

        keep_out_of_lake(html, session, allowed="reports")
        page = html_report(*about, settings=session.settings, lang=lang, rates=rates)
        _write_html(html, page, snapshot)
    elif printing.form is Format.TABLE:
        made = make_report(*about, settings=session.settings, lang=lang, rates=rates)
        print_report(made, file=sys.stdout)
    else:
        figures = read_figures(*about, settings=session.settings, rates=rates)
        if figures.converted:
            typer.echo(say_rates(figures.converted), err=True)
        tables = {
            "platform": figures.platforms,
            "audience": figures.audiences,
            "account": figures.account,
        }
        print_results(tables, form=printing.form, safe=printing.safe)


def _write_html(file: Path, page: bytes, snapshot: "Snapshot") -> None:
    from pipeline.cli.output import open_file

    with open_file(file) as sink:
        sink.write(page)
    typer.echo(f"{file}: the report of version {snapshot.version} ({len(page) / 1e6:,.1f} MB)")


@on_lake
def export(
    session: Session,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write into.")],
    lots: Annotated[
        int | None,
        typer.Option("--lots", help="Write marketing_data_<n>.csv of so many rows instead."),
    ] = None,
    start: StartOption = None,
    end: EndOption = None,
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    safe: SafeOption = False,
    *,
    when: When,
    cluster: ClusterOption = None,
) -> None:
    """Write the master as the original program's CSV, or as Parquet."""
    _refuse_contradictions(form, lots=lots, safe=safe)
    first = parse_day(start, option="--start")
    last = parse_day(end, option="--end")
    from pipeline.cli.output import keep_out_of_lake
    from pipeline.export.run import export_csv, export_parquet
    from pipeline.export.target import FolderTarget

    snapshot = when.pin(session)
    targets = [FolderTarget(directory)]
    keep_out_of_lake(directory, session, allowed="exports")
    with session.open_engine(cluster) as engine:
        if form == "parquet":
            outcome = export_parquet(
                session.lake, snapshot, targets=targets, start=first, end=last, engine=engine
            )
        else:
            outcome = export_csv(
                session.lake,
                snapshot,
                targets=targets,
                master=lots is None,
                lots=lots,
                start=first,
                end=last,
                safe=safe,
                engine=engine,
            )
    say_exported(outcome, directory, version=snapshot.version)


def _refuse_contradictions(form: str, *, lots: int | None, safe: bool) -> None:
    if form not in {"csv", "parquet"}:
        raise UsageError(f"--format is {form!r}; expected csv or parquet")
    if form == "parquet" and lots is not None:
        raise UsageError("--lots are CSV files; leave --format parquet out")
    if form == "parquet" and safe:
        raise UsageError("--safe-for-spreadsheets is about CSV; leave --format parquet out")
