"""Commands that read versions of the lake: kpi, diff, report, export."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.messages import count, say_currencies
from pipeline.cli.options import (
    AsOfOption,
    AudienceOption,
    CampaignOption,
    CurrencyOption,
    DebugOption,
    EndOption,
    Format,
    FormatOption,
    LakeOption,
    PlatformOption,
    SourceOption,
    StartOption,
    VerboseOption,
    VersionOption,
    open_session,
    parse_day,
    pin,
)
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.cli.options import Session
    from pipeline.kpi.selection import Selection
    from pipeline.lake import Snapshot

_log = logging.getLogger(__name__)

NO_VALUE: Final = "is not known, or a ratio whose denominator is 0 or not known"
"""What a dash among a KPI's figures means."""


def kpi(
    name: Annotated[str | None, typer.Argument(help="Which one [default: list them].")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List them and what they say.")] = False,
    start: StartOption = None,
    end: EndOption = None,
    platform: PlatformOption = None,
    audience: AudienceOption = None,
    campaign: CampaignOption = None,
    source: SourceOption = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="Rank campaigns by this [default: spend].", metavar="MEASURE"),
    ] = None,
    top: Annotated[
        int | None, typer.Option("--top", "--limit", help="Only so many campaigns from the top.")
    ] = None,
    bottom: Annotated[
        int | None, typer.Option("--bottom", help="Only so many campaigns from the bottom.")
    ] = None,
    currency: CurrencyOption = None,
    version: VersionOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,  # noqa: A002 - the option's name is fixed
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Compute a KPI, or list them."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        from pipeline.cli.output import print_result
        from pipeline.kpi.catalogue import describe_kpi, list_entries, run_kpi
        from pipeline.kpi.rates import read_rates, say_rates
        from pipeline.kpi.rollup import DAILY, KINDS
        from pipeline.kpi.selection import Selection
        from pipeline.kpi.views import open_kpi_connection

        if name is None or show_list:
            print_result(list_entries(), form=format)
            return
        wanted = describe_kpi(name)
        selection = Selection(
            start=parse_day(start, option="--start"),
            end=parse_day(end, option="--end"),
            platform=platform,
            audience=audience,
            campaign=campaign,
            source=source,
            by=by,
            top=top,
            bottom=bottom,
        )
        selection.bind(wanted.params, kpi=name)  # wrong use is said before anything is opened
        snapshot = pin(session, version=version, as_of=as_of)
        kinds = KINDS if wanted.is_about_campaigns else (DAILY,)
        rates = read_rates(session.lake, currency) if currency else None
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
            result = run_kpi(connection, name, selection)
            if rates is not None:
                typer.echo(say_rates(connection, rates.currency), err=True)
        title = f"{name}, table version {snapshot.version}"
        print_result(result, form=format, title=title, dash=NO_VALUE)


def diff(
    before: Annotated[int, typer.Argument(metavar="N", help="A version.", min=0, max=2**53)],
    after: Annotated[int, typer.Argument(metavar="M", help="Another one.", min=0, max=2**53)],
    start: StartOption = None,
    end: EndOption = None,
    platform: PlatformOption = None,
    audience: AudienceOption = None,
    campaign: CampaignOption = None,
    source: SourceOption = None,
    format: FormatOption = Format.TABLE,  # noqa: A002 - the option's name is fixed
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Say which KPIs moved between two versions, and by how much."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        from pipeline.cli.output import print_result
        from pipeline.kpi.selection import Selection
        from pipeline.steps.diff import diff as compare

        selection = Selection(
            start=parse_day(start, option="--start"),
            end=parse_day(end, option="--end"),
            platform=platform,
            audience=audience,
            campaign=campaign,
            source=source,
        )
        result = compare(session.lake, before, after, selection, settings=session.settings)
        title = f"from table version {before} to {after}"
        print_result(result, form=format, title=title, dash=NO_VALUE)


def report(
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write one HTML file instead, to be read anywhere."),
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="en or es.")] = "en",
    start: StartOption = None,
    end: EndOption = None,
    platform: PlatformOption = None,
    audience: AudienceOption = None,
    campaign: CampaignOption = None,
    source: SourceOption = None,
    version: VersionOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,  # noqa: A002 - the option's name is fixed
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Print the report: platforms, audiences, the account of rows; or write it as HTML."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        if html and format is not Format.TABLE:
            raise UsageError("--html writes a file; leave --format out")
        from pipeline.cli.output import print_results
        from pipeline.kpi.selection import Selection
        from pipeline.report.console import print_report
        from pipeline.report.words import find_language
        from pipeline.steps.report import read_figures
        from pipeline.steps.report import report as make_report

        find_language(lang)  # wrong use is said before anything is opened
        selection = Selection(
            start=parse_day(start, option="--start"),
            end=parse_day(end, option="--end"),
            platform=platform,
            audience=audience,
            campaign=campaign,
            source=source,
        )
        snapshot = pin(session, version=version, as_of=as_of)
        if html:
            _write_html(session, snapshot, html, selection, lang=lang)
        elif format is Format.TABLE:
            made = make_report(
                session.lake, snapshot, selection, settings=session.settings, lang=lang
            )
            print_report(made, file=sys.stdout)
        else:
            figures = read_figures(session.lake, snapshot, selection, settings=session.settings)
            tables = {
                "platform": figures.platforms,
                "audience": figures.audiences,
                "account": figures.account,
            }
            print_results(tables, form=format)


def _write_html(
    session: "Session", snapshot: "Snapshot", file: Path, selection: "Selection", *, lang: str
) -> None:
    from pipeline.cli.output import keep_out_of_lake, open_file
    from pipeline.steps.html_report import html_report

    keep_out_of_lake(file, session, allowed="reports")
    made = html_report(session.lake, snapshot, selection, settings=session.settings, lang=lang)
    with open_file(file) as sink:
        sink.write(made)
    typer.echo(f"{file}: the report of version {snapshot.version} ({len(made) / 1e6:,.1f} MB)")


def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write into.")],
    lots: Annotated[
        int | None,
        typer.Option("--lots", help="Write marketing_data_<n>.csv of so many rows instead."),
    ] = None,
    start: StartOption = None,
    end: EndOption = None,
    format: Annotated[  # noqa: A002 - the option's name is fixed
        str, typer.Option("--format", help="csv or parquet.")
    ] = "csv",
    safe: Annotated[
        bool,
        typer.Option(
            "--safe-for-spreadsheets", help="Put an apostrophe before texts like formulas."
        ),
    ] = False,
    version: VersionOption = None,
    as_of: AsOfOption = None,
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the master as the original program's CSV, or as Parquet."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        if format not in {"csv", "parquet"}:
            raise UsageError(f"--format is {format!r}; expected csv or parquet")
        if format == "parquet" and lots is not None:
            raise UsageError("--lots are CSV files; leave --format parquet out")
        if format == "parquet" and safe:
            raise UsageError("--safe-for-spreadsheets is about CSV; leave --format parquet out")
        first = parse_day(start, option="--start")
        last = parse_day(end, option="--end")
        from pipeline.cli.output import keep_out_of_lake
        from pipeline.export.run import export_csv, export_parquet
        from pipeline.export.target import FolderTarget

        snapshot = pin(session, version=version, as_of=as_of)
        targets = [FolderTarget(directory)]
        keep_out_of_lake(directory, session, allowed="exports")
        if format == "parquet":
            outcome = export_parquet(session.lake, snapshot, targets=targets, start=first, end=last)
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
            )
        typer.echo(
            f"{directory}: {count(outcome.rows, 'row')} of version {snapshot.version} "
            f"in {count(len(outcome.files), 'file')}"
        )
        say_currencies(outcome.currencies)
        if outcome.leftovers:
            typer.echo(
                f"{len(outcome.leftovers)} lots of an earlier export are still there, first "
                f"{outcome.leftovers[0]}: whoever reads the folder would count them too",
                err=True,
            )
