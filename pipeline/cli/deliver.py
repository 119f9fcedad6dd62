"""Commands that bring delivered files into the lake, and take them out: land, merge, withdraw."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.command import Session, on_lake
from pipeline.cli.messages import exit_by, say_landed, say_merged
from pipeline.cli.options import ClusterOption, LabelOptions

if TYPE_CHECKING:
    from pipeline.engine import Engine
    from pipeline.steps.commit import MergeOutcome


@on_lake
def land(
    session: Session,
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of files.")],
    label: LabelOptions,
) -> None:
    """Put files that a platform exported into the lake's landing/."""
    from pipeline.steps.land import land as land_files

    landed = land_files(session.lake, paths, settings=session.settings, label=label.make_label())
    say_landed(landed)


@on_lake
def merge(
    session: Session,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help="Let a delivery pass that is held back.", metavar="FILE"),
    ] = None,
    cluster: ClusterOption = None,
) -> None:
    """Take what is new in landing/ and raw/ into the master, exactly once."""
    from pipeline.cli.progress import show_progress
    from pipeline.steps.merge import merge as merge_new

    with session.open_engine(cluster) as engine:
        with show_progress() as progress:
            outcome = merge_new(
                session.lake,
                settings=session.settings,
                accept=accept or (),
                on_file=progress.counter("read", total=None, unit="files"),
                engine=engine,
            )
        finish(session, outcome, engine=engine)


@on_lake
def withdraw(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Its path in the lake.")],
) -> None:
    """Take back a delivered file, and all that stood at its path, as if it had never come."""
    from pipeline.steps.withdraw import withdraw as withdraw_file

    outcome = withdraw_file(session.lake, file, settings=session.settings)
    finish(session, outcome, nothing=f"{file} is withdrawn already")


def finish(
    session: Session,
    outcome: "MergeOutcome",
    *,
    engine: "Engine | None" = None,
    nothing: str = "nothing new to merge",
) -> None:
    """Rolls up what a transaction changed, says what it did, and exits by it."""
    from pipeline.steps.report import roll_up

    snapshot = session.lake.take_snapshot(outcome.version)
    roll_up(session.lake, snapshot, settings=session.settings, engine=engine)
    say_merged(outcome, nothing=nothing)
    exit_by(outcome)
