"""Commands that look after a lake: status, inspect, doctor, verify."""

from collections import Counter
from typing import Annotated

import typer

from pipeline.cli.command import Session, on_lake
from pipeline.cli.messages import count
from pipeline.cli.options import Format, FormatOption, VersionOption, When
from pipeline.errors import LakeError, StorageError

DEFAULT_LIMIT = 50


@on_lake
def status(
    session: Session,
    version: VersionOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Print the lake's version and the account of all its rows."""
    from pipeline.cli.output import print_record
    from pipeline.steps.status import read_status

    snapshot = session.lake.take_snapshot(version)
    found = read_status(session.lake, snapshot, settings=session.settings)
    print_record(found, form=form)


@on_lake
def inspect(
    session: Session,
    version: VersionOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Print the master's columns and types, partitions, and first rows."""
    from pipeline.cli.output import print_tables
    from pipeline.steps.status import inspect as look

    found = look(session.lake, When(version).pin(session))
    tables = {"columns": found.columns, "partitions": found.partitions, "rows": found.rows}
    print_tables(tables, form=form)


@on_lake
def doctor(
    session: Session,
) -> None:
    """Check that the lake can be reached, written and read."""
    from pipeline.steps.status import examine

    probes = examine(session.lake)
    for probe in probes:
        mark = "ok    " if probe.passed else "FAILED"
        typer.echo(f"{mark}  {probe.check}: {probe.detail}")
    failed = [probe.check for probe in probes if not probe.passed]
    if failed:
        raise StorageError(f"{session.lake.uri} is not fit for a lake: {', '.join(failed)}")


@on_lake
def verify(
    session: Session,
    limit: Annotated[
        int, typer.Option("--limit", help="Print so many differences at most.", min=1)
    ] = DEFAULT_LIMIT,
    version: VersionOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Compare the master with what `generate --messy` knows that it must hold."""
    from pipeline.care.truth import Difference
    from pipeline.cli.output import print_result
    from pipeline.kpi.query import Result
    from pipeline.steps.verify import verify as compare

    snapshot = When(version).pin(session)
    found = compare(session.lake, snapshot)
    differences = found.differences
    if differences or form is not Format.TABLE:
        print_result(Result(Difference._fields, tuple(differences[:limit])), form=form)
    if differences:
        kinds = Counter(one.kind for one in differences)
        said = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
        raise LakeError(
            f"version {snapshot.version} is not what was delivered: "
            f"{count(len(differences), 'difference')} ({said}), of "
            f"{count(found.rows, 'row')} and {count(found.files, 'file')}"
        )
    if form is Format.TABLE:
        typer.echo(
            f"version {snapshot.version} holds the {count(found.rows, 'row')} that it must, "
            f"to the cent, of {count(found.files, 'file')}"
        )
