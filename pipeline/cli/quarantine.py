"""Commands on what was refused: quarantine list, show, replay."""

from enum import StrEnum
from typing import Annotated

import typer

from pipeline.cli.command import Session, on_lake
from pipeline.cli.deliver import finish
from pipeline.cli.options import Printing, VersionOption

DEFAULT_LIMIT = 20

quarantine = typer.Typer(help="See what was refused and why, and judge it again.")


class By(StrEnum):
    """What is counted by."""

    REASON = "reason"
    FILE = "file"
    SOURCE = "source"


@quarantine.command("list")
@on_lake
def list_refused(
    session: Session,
    by: Annotated[By, typer.Option("--by", help="What is counted by.")] = By.REASON,
    version: VersionOption = None,
    *,
    printing: Printing,
) -> None:
    """Count what is in quarantine, by reason, file or source."""
    from pipeline.cli.output import print_result
    from pipeline.kpi.quarantine import count_refused
    from pipeline.kpi.views import open_reading_connection

    snapshot = session.lake.take_snapshot(version)
    with open_reading_connection(
        session.lake, snapshot, workers=session.settings.workers, stored=(), with_raw=False
    ) as connection:
        result = count_refused(connection, by=by.value)
    title = f"in quarantine, by {by.value}"
    print_result(result, form=printing.form, title=title, safe=printing.safe)


@quarantine.command()
@on_lake
def show(
    session: Session,
    file: Annotated[str | None, typer.Argument(help="Only of this file.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Only by this rule.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", help="How many rows at most.", min=1, max=1_000_000)
    ] = DEFAULT_LIMIT,
    version: VersionOption = None,
    *,
    printing: Printing,
) -> None:
    """Show rows in quarantine as they were delivered, beside what was expected."""
    from pipeline.cli.output import print_result
    from pipeline.kpi.quarantine import show_refused
    from pipeline.kpi.views import open_reading_connection

    snapshot = session.lake.take_snapshot(version)
    with open_reading_connection(
        session.lake, snapshot, workers=session.settings.workers, stored=(), with_raw=False
    ) as connection:
        result = show_refused(connection, path=file, rule=rule, limit=limit)
    print_result(result, form=printing.form, title="in quarantine", safe=printing.safe)


@quarantine.command()
@on_lake
def replay(
    session: Session,
    files: Annotated[
        list[str] | None, typer.Argument(help="Their paths in the lake [default: all].")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only of this source.")] = None,
) -> None:
    """Judge refused files again, after a contract was changed, and merge what passes now."""
    from pipeline.steps.replay import replay as judge_again

    outcome = judge_again(session.lake, settings=session.settings, paths=files or (), source=source)
    finish(session, outcome)
