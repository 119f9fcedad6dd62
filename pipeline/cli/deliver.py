"""Commands that bring data into the lake: run, generate, land, merge."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.messages import (
    count,
    exit_by,
    say_currencies,
    say_generated,
    say_landed,
    say_merged,
    say_messy,
)
from pipeline.cli.options import (
    DebugOption,
    EndOption,
    LakeOption,
    StartOption,
    VerboseOption,
    open_session,
    parse_day,
)
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.cli.options import Session
    from pipeline.generate.request import GenerateRequest
    from pipeline.steps.commit import MergeOutcome

DEFAULT_ROWS = 500_000
MESSY_ROWS = 8_000
MESSY_DAYS = 60
DEFAULT_START = "2024-01-01"
DEFAULT_END = "2024-12-31"
DEFAULT_SEED = 42
DEFAULT_LOCALE = "es_AR"
DEFAULT_LOCAL_DIR = Path("exports")

RowsOption = Annotated[
    int | None,
    typer.Option("--rows", help="Rows of the whole range.", show_default=str(DEFAULT_ROWS)),
]
SeedOption = Annotated[int, typer.Option("--seed", help="The same seed makes the same data.")]
LocaleOption = Annotated[
    str, typer.Option("--locale", help="Faker locale of the names in the data.")
]


def run(
    start: StartOption = DEFAULT_START,
    end: EndOption = DEFAULT_END,
    rows: RowsOption = DEFAULT_ROWS,
    seed: SeedOption = DEFAULT_SEED,
    locale: LocaleOption = DEFAULT_LOCALE,
    local_dir: Annotated[
        Path, typer.Option("--local-dir", help="Folder for the CSV beside the lake's own copy.")
    ] = DEFAULT_LOCAL_DIR,
    no_csv: Annotated[bool, typer.Option("--no-csv", help="Write no CSV.")] = False,
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Generate, merge, report and export: the main job."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        request = _make_request(
            start=start, end=end, rows=rows, rows_per_day=None, seed=seed, locale=locale, only=None
        )
        from pipeline.cli.progress import show_progress
        from pipeline.report.console import print_report
        from pipeline.steps.run import run as run_pipeline

        with show_progress() as progress:
            outcome = run_pipeline(
                session.lake,
                request,
                settings=session.settings,
                today=datetime.now(UTC).date(),
                local_dir=None if no_csv else local_dir,
                on_rows=progress.counter("generate", total=rows, unit="rows"),
                on_file=progress.counter("read", total=None, unit="files"),
            )
        say_generated(outcome.generated)
        say_merged(outcome.merged)
        typer.echo()
        print_report(outcome.report, file=sys.stdout)
        if outcome.exported is not None:
            for file in outcome.exported.files:
                typer.echo(f"{local_dir / file.name}: {count(file.rows, 'row')}")
            say_currencies(outcome.exported.currencies)
        exit_by(outcome.merged)


def generate(
    start: StartOption = DEFAULT_START,
    end: Annotated[
        str | None,
        typer.Option(
            "--end",
            help="Last day, included.",
            show_default=f"{DEFAULT_END}; with --messy {MESSY_DAYS} days",
            metavar="DAY",
        ),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows",
            help="Rows of the whole range.",
            show_default=f"{DEFAULT_ROWS}; with --messy {MESSY_ROWS}",
        ),
    ] = None,
    rows_per_day: Annotated[
        int | None,
        typer.Option("--rows-per-day", help="Rows of each day, instead of --rows."),
    ] = None,
    seed: SeedOption = DEFAULT_SEED,
    only: Annotated[
        str | None,
        typer.Option("--only", help="Make this day of the range alone.", metavar="DAY"),
    ] = None,
    locale: LocaleOption = DEFAULT_LOCALE,
    batch_rows: Annotated[
        int | None,
        typer.Option("--batch-rows", help="Rows of a record batch; changes no byte."),
    ] = None,
    messy: Annotated[
        bool,
        typer.Option(
            "--messy", help="Deliver them into landing/ as platforms do, and write the truth."
        ),
    ] = False,
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Write synthetic campaign days into the lake's raw/."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        if rows is None and rows_per_day is None:
            rows = MESSY_ROWS if messy else DEFAULT_ROWS
        if end is None:
            end = _find_messy_end(start) if messy else DEFAULT_END
        request = _make_request(
            start=start,
            end=end,
            rows=rows,
            rows_per_day=rows_per_day,
            seed=seed,
            locale=locale,
            only=only,
            batch_rows=batch_rows,
        )
        if messy:
            _generate_messy(session, request, whole=only is None and batch_rows is None)
            return
        from pipeline.cli.progress import show_progress
        from pipeline.generate.write import generate_days

        with show_progress() as progress:
            outcome = generate_days(
                session.lake,
                request,
                today=datetime.now(UTC).date(),
                workers=session.settings.workers,
                on_rows=progress.counter("generate", total=rows, unit="rows"),
            )
        say_generated(outcome)


def _find_messy_end(start: str | None) -> str | None:
    first = parse_day(start, option="--start")
    return str(first + timedelta(days=MESSY_DAYS - 1)) if first else None


def _generate_messy(session: "Session", request: "GenerateRequest", *, whole: bool) -> None:
    if not whole:
        raise UsageError("--messy delivers whole ranges; leave --only and --batch-rows out")
    from pipeline.steps.generate_messy import generate_messy

    say_messy(generate_messy(session.lake, request, today=datetime.now(UTC).date()))


def land(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of files.")],
    source: Annotated[
        str | None, typer.Option("--source", help="Whose files [default: by contract].")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Of which account, where they do not say it.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", help="Likewise, such as EUR.", metavar="CODE")
    ] = None,
    period: Annotated[
        str | None,
        typer.Option("--period", help="For which dates they speak, likewise.", metavar="A..B"),
    ] = None,
    delivered: Annotated[
        str | None,
        typer.Option(
            "--delivered", help="When they were delivered [default: now].", metavar="TIME"
        ),
    ] = None,
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Put files that a platform exported into the lake's landing/."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        from pipeline.steps.label import Label
        from pipeline.steps.land import land as land_files

        landed = land_files(
            session.lake,
            paths,
            settings=session.settings,
            label=Label(
                source=source,
                account=account,
                currency=currency,
                period=period,
                delivered=delivered,
            ),
        )
        say_landed(landed)


def merge(
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help="Let a delivery pass that is held back.", metavar="FILE"),
    ] = None,
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Take what is new in landing/ and raw/ into the master, exactly once."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        from pipeline.cli.progress import show_progress
        from pipeline.steps.merge import merge as merge_new

        with show_progress() as progress:
            outcome = merge_new(
                session.lake,
                settings=session.settings,
                accept=accept or (),
                on_file=progress.counter("read", total=None, unit="files"),
            )
        finish(session, outcome)


def withdraw(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Its path in the lake.")],
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Take a delivered file back, as if it had never come."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        from pipeline.steps.withdraw import withdraw as withdraw_file

        finish(session, withdraw_file(session.lake, file, settings=session.settings))


def finish(session: "Session", outcome: "MergeOutcome") -> None:
    """Rolls up what a transaction changed, says what it did, and exits by it."""
    from pipeline.steps.report import roll_up

    snapshot = session.lake.take_snapshot(outcome.version)
    roll_up(session.lake, snapshot, settings=session.settings)
    say_merged(outcome)
    exit_by(outcome)


def _make_request(
    *,
    start: str | None,
    end: str | None,
    rows: int | None,
    rows_per_day: int | None,
    seed: int,
    locale: str,
    only: str | None,
    batch_rows: int | None = None,
) -> "GenerateRequest":
    from pipeline.generate.request import DEFAULT_BATCH_ROWS, GenerateRequest

    first = parse_day(start, option="--start")
    last = parse_day(end, option="--end")
    if first is None or last is None:
        raise UsageError("--start and --end are days as YYYY-MM-DD")
    return GenerateRequest(
        start=first,
        end=last,
        seed=seed,
        rows=rows,
        rows_per_day=rows_per_day,
        only=parse_day(only, option="--only"),
        locale=locale,
        batch_rows=DEFAULT_BATCH_ROWS if batch_rows is None else batch_rows,
    )
