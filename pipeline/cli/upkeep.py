"""Commands that keep a lake whole and small: fsck, compact, vacuum, rebuild, history, upgrade."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.command import Session, on_lake
from pipeline.cli.messages import count
from pipeline.cli.options import ClusterOption, Format, FormatOption, Printing
from pipeline.errors import LakeError

if TYPE_CHECKING:
    from pipeline.steps.fsck import Checkup

DEFAULT_DAYS = 7.0
_LONGEST = 36_500
_NOT_SAID = "is not known: the version is none of a merge, or its record does not say it"


@on_lake
def fsck(
    session: Session,
    form: FormatOption = Format.TABLE,
) -> None:
    """Read the whole lake and say what is damaged, file by file."""
    from pipeline.cli.output import print_record, print_tables
    from pipeline.steps.fsck import fsck as check

    checkup = check(session.lake, settings=session.settings)
    findings = [finding._asdict() for finding in checkup.findings]
    if form is Format.JSON:
        print_record(
            {
                "lake": session.lake.uri,
                "version": checkup.version,
                "findings": findings,
                "checked": checkup.checked,
                "orphans": checkup.orphans,
                "gone": checkup.gone,
            },
            form=form,
        )
    elif form is Format.CSV:
        print_tables({"findings": findings}, form=form)
    else:
        _say_checked(checkup)
    if findings:
        raise LakeError(
            f"{session.lake.uri} is damaged: {count(len(findings), 'finding')}, first "
            f"{checkup.findings[0].path}; docs/operations.md says what to do"
        )


@on_lake
def compact(
    session: Session,
) -> None:
    """Join small files of the master; its rows stay as they are."""
    from pipeline.steps.compact import compact as join_files
    from pipeline.steps.report import roll_up

    outcome = join_files(session.lake, settings=session.settings)
    if outcome.transaction is None:
        typer.echo(f"nothing to join; master at version {outcome.version}")
        return
    snapshot = session.lake.take_snapshot(outcome.version)
    roll_up(session.lake, snapshot, settings=session.settings)
    typer.echo(
        f"joined {count(outcome.files_removed, 'file')} into {outcome.files_added:,}; "
        f"master at version {outcome.version} with {count(outcome.rows, 'row')}"
    )


@on_lake
def vacuum(
    session: Session,
    retention: Annotated[
        float,
        typer.Option(
            "--retention",
            help="Versions of so many days stay readable.",
            metavar="DAYS",
            min=0,
            max=_LONGEST,
        ),
    ] = DEFAULT_DAYS,
    force: Annotated[
        bool, typer.Option("--force", help="Also where a merge at work could lose files.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing.")] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Delete files that no version needs any more."""
    from pipeline.cli.output import print_result
    from pipeline.kpi.query import Result
    from pipeline.steps.vacuum import Cleared
    from pipeline.steps.vacuum import vacuum as clear

    cleared = clear(
        session.lake,
        settings=session.settings,
        retention=timedelta(days=retention),
        force=force,
        dry_run=dry_run,
    )
    title = "would be deleted" if dry_run else "deleted"
    print_result(Result(Cleared._fields, tuple(cleared)), form=form, title=title)


@on_lake
def rebuild(
    session: Session,
    without_gone: Annotated[
        bool,
        typer.Option("--without-gone", help="Leave out files that are gone: their rows are lost."),
    ] = False,
    cluster: ClusterOption = None,
) -> None:
    """Make the master anew from landing/ and raw/, whatever was done to it."""
    from pipeline.cli.deliver import finish
    from pipeline.cli.progress import show_progress
    from pipeline.steps.rebuild import rebuild as make_anew

    with session.open_engine(cluster) as engine:
        with show_progress() as progress:
            outcome = make_anew(
                session.lake,
                settings=session.settings,
                without_gone=without_gone,
                on_file=progress.counter("read", total=None, unit="files"),
                engine=engine,
            )
        finish(session, outcome, engine=engine)


@on_lake
def history(
    session: Session,
    limit: Annotated[
        int | None, typer.Option("--limit", help="At most so many [default: all].", min=1)
    ] = None,
    *,
    printing: Printing,
) -> None:
    """List the versions of the master, newest first, and what made each."""
    from pipeline.cli.output import print_result
    from pipeline.steps.history import read_history

    result = read_history(session.lake, limit=limit)
    print_result(result, form=printing.form, title="history", dash=_NOT_SAID, safe=printing.safe)


@on_lake
def upgrade(
    session: Session,
) -> None:
    """Move a lake of an older format to this adlake's."""
    from pipeline.steps.upgrade import upgrade as move

    before, now = move(session.lake)
    done = f"moved from format {before} to {now}" if before < now else f"of format {now} already"
    typer.echo(f"{session.lake.uri}: {done}")


def _say_checked(checkup: "Checkup") -> None:
    for path, detail in checkup.findings:
        typer.echo(f"damaged  {path}: {detail}")
    if checkup.checked:
        places = ", ".join(f"{place} {number:,}" for place, number in checkup.checked.items())
        typer.echo(f"checked version {checkup.version}: files in {places}")
    if orphans := {place: number for place, number in checkup.orphans.items() if number}:
        places = ", ".join(f"{place} {number:,}" for place, number in orphans.items())
        typer.echo(f"orphans, which adlake vacuum clears in time: {places}")
    if checkup.gone:
        typer.echo(
            f"delivered files that were merged and are gone or changed since: {checkup.gone:,}; "
            f"a rebuild or a withdrawal would need them"
        )
    if not checkup.findings:
        typer.echo("nothing is damaged")
