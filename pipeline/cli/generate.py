"""Commands that make synthetic data: run, which is the main job, and generate."""

import dataclasses
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.command import Session, on_lake
from pipeline.cli.messages import (
    count,
    exit_by,
    say_currencies,
    say_generated,
    say_merged,
    say_messy,
)
from pipeline.cli.options import ClusterOption, EndOption, StartOption, parse_day
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.generate.request import GenerateRequest

DEFAULT_ROWS = 500_000
MESSY_ROWS = 8_000
MESSY_DAYS = 60
DEFAULT_START = "2024-01-01"
DEFAULT_END = "2024-12-31"
DEFAULT_SEED = 42
DEFAULT_LOCALE = "es_AR"
DEFAULT_LOCAL_DIR = Path("exports")


@dataclasses.dataclass(frozen=True, slots=True)
class DataOptions:
    """Which data `run` generates."""

    start: StartOption = DEFAULT_START
    end: EndOption = DEFAULT_END
    rows: Annotated[
        int | None,
        typer.Option("--rows", help="Rows of the whole range."),
    ] = DEFAULT_ROWS
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same data.")] = (
        DEFAULT_SEED
    )
    locale: Annotated[
        str, typer.Option("--locale", help="Faker locale of the names in the data.")
    ] = DEFAULT_LOCALE

    def make_request(self) -> "GenerateRequest":
        """The same as values.

        Raises:
            UsageError: A day is none.
        """
        from pipeline.generate.request import GenerateRequest

        first = parse_day(self.start, option="--start")
        last = parse_day(self.end, option="--end")
        if first is None or last is None:
            raise UsageError("--start and --end are days as YYYY-MM-DD")
        return GenerateRequest(
            start=first, end=last, seed=self.seed, rows=self.rows, locale=self.locale
        )


@dataclasses.dataclass(frozen=True, slots=True)
class MoreDataOptions(DataOptions):
    """Which data `generate` makes."""

    end: Annotated[
        str | None,
        typer.Option(
            "--end",
            help=f"Last day, included [default: {DEFAULT_END}; with --messy {MESSY_DAYS} days].",
            metavar="DAY",
        ),
    ] = None
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows",
            help=f"Rows of the whole range [default: {DEFAULT_ROWS}; with --messy {MESSY_ROWS}].",
        ),
    ] = None
    rows_per_day: Annotated[
        int | None, typer.Option("--rows-per-day", help="Rows of each day, instead of --rows.")
    ] = None
    only: Annotated[
        str | None,
        typer.Option("--only", help="Make this day of the range alone.", metavar="DAY"),
    ] = None
    batch_rows: Annotated[
        int | None, typer.Option("--batch-rows", help="Rows of a record batch; changes no byte.")
    ] = None
    messy: Annotated[
        bool,
        typer.Option(
            "--messy", help="Deliver them into landing/ as platforms do, and write the truth."
        ),
    ] = False

    def make_request(self) -> "GenerateRequest":
        """As said; how many rows and days there are by default depends on `--messy`."""
        rows, end = self.rows, self.end
        if rows is None and self.rows_per_day is None:
            rows = MESSY_ROWS if self.messy else DEFAULT_ROWS
        if end is None:
            end = _find_messy_end(self.start) if self.messy else DEFAULT_END
        request = DataOptions(self.start, end, rows, self.seed, self.locale).make_request()
        return dataclasses.replace(
            request,
            rows_per_day=self.rows_per_day,
            only=parse_day(self.only, option="--only"),
            batch_rows=request.batch_rows if self.batch_rows is None else self.batch_rows,
        )


def _find_messy_end(start: str | None) -> str | None:
    first = parse_day(start, option="--start")
    return str(first + timedelta(days=MESSY_DAYS - 1)) if first else None


@on_lake
def run(
    session: Session,
    data: DataOptions,
    local_dir: Annotated[
        Path, typer.Option("--local-dir", help="Folder for the CSV beside the lake's own copy.")
    ] = DEFAULT_LOCAL_DIR,
    no_csv: Annotated[bool, typer.Option("--no-csv", help="Write no CSV.")] = False,
    cluster: ClusterOption = None,
) -> None:
    """Generate, merge, report and export: the main job."""
    request = data.make_request()
    from pipeline.cli.output import keep_out_of_lake
    from pipeline.cli.progress import show_progress
    from pipeline.report.console import print_report
    from pipeline.steps.run import run as run_pipeline

    if not no_csv:
        keep_out_of_lake(local_dir, session, allowed="exports")
    with session.open_engine(cluster) as engine, show_progress() as progress:
        outcome = run_pipeline(
            session.lake,
            request,
            engine=engine,
            settings=session.settings,
            today=datetime.now(UTC).date(),
            local_dir=None if no_csv else local_dir,
            on_rows=progress.counter("generate", total=request.rows, unit="rows"),
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


@on_lake
def generate(session: Session, data: MoreDataOptions, cluster: ClusterOption = None) -> None:
    """Write synthetic campaign days into the lake's raw/."""
    request = data.make_request()
    today = datetime.now(UTC).date()
    if data.messy:
        if data.only is not None or data.batch_rows is not None:
            raise UsageError("--messy delivers whole ranges; leave --only and --batch-rows out")
        if cluster is not None:
            raise UsageError("--messy works on this machine alone; leave --cluster out")
        from pipeline.steps.generate_messy import generate_messy

        say_messy(generate_messy(session.lake, request, today=today))
        return
    from pipeline.cli.progress import show_progress
    from pipeline.generate.write import generate_days

    with session.open_engine(cluster) as engine, show_progress() as progress:
        outcome = generate_days(
            session.lake,
            request,
            today=today,
            engine=engine,
            on_rows=progress.counter("generate", total=request.rows, unit="rows"),
        )
    say_generated(outcome)
