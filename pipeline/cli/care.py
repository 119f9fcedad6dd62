"""Commands that look after a lake: status, inspect, doctor, verify."""

from collections import Counter
from typing import Annotated

import typer

from pipeline.cli.messages import count
from pipeline.cli.options import (
    DebugOption,
    Format,
    FormatOption,
    LakeOption,
    VerboseOption,
    VersionOption,
    open_session,
    pin,
)
from pipeline.errors import LakeError, StorageError

DEFAULT_LIMIT = 50


def status(
    version: VersionOption = None,
    format: FormatOption = Format.TABLE,  # noqa: A002 - the option's name is fixed
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Print the lake's version and the account of all its rows."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        from pipeline.cli.output import print_record
        from pipeline.steps.status import read_status

        snapshot = session.lake.take_snapshot(version)
        found = read_status(session.lake, snapshot, settings=session.settings)
        print_record(found, form=format)


def inspect(
    version: VersionOption = None,
    format: FormatOption = Format.TABLE,  # noqa: A002 - the option's name is fixed
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Print the master's columns and types, partitions, and first rows."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        from pipeline.cli.output import print_tables
        from pipeline.steps.status import inspect as look

        found = look(session.lake, pin(session, version=version, as_of=None))
        tables = {"columns": found.columns, "partitions": found.partitions, "rows": found.rows}
        print_tables(tables, form=format)


def doctor(
    lake: LakeOption = None, verbose: VerboseOption = False, debug: DebugOption = False
) -> None:
    """Check that the lake can be reached, written and read."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        from pipeline.steps.status import examine

        probes = examine(session.lake)
        for probe in probes:
            mark = "ok    " if probe.passed else "FAILED"
            typer.echo(f"{mark}  {probe.check}: {probe.detail}")
        failed = [probe.check for probe in probes if not probe.passed]
        if failed:
            raise StorageError(f"{session.lake.uri} is not fit for a lake: {', '.join(failed)}")


def verify(
    limit: Annotated[
        int, typer.Option("--limit", help="Print so many differences at most.", min=1)
    ] = DEFAULT_LIMIT,
    version: VersionOption = None,
    format: FormatOption = Format.TABLE,  # noqa: A002 - the option's name is fixed
    lake: LakeOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare the master with what `generate --messy` knows that it must hold."""
    with open_session(lake, verbose=verbose, debug=debug) as session:
        from pipeline.care.truth import Difference
        from pipeline.cli.options import pin
        from pipeline.cli.output import print_result
        from pipeline.kpi.query import Result
        from pipeline.steps.verify import verify as compare

        snapshot = pin(session, version=version, as_of=None)
        found = compare(session.lake, snapshot)
        differences = found.differences
        if differences or format is not Format.TABLE:
            print_result(Result(Difference._fields, tuple(differences[:limit])), form=format)
        if differences:
            kinds = Counter(one.kind for one in differences)
            said = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
            raise LakeError(
                f"version {snapshot.version} is not what was delivered: "
                f"{count(len(differences), 'difference')} ({said}), of "
                f"{count(found.rows, 'row')} and {count(found.files, 'file')}"
            )
        if format is Format.TABLE:
            typer.echo(
                f"version {snapshot.version} holds the {count(found.rows, 'row')} that it must, "
                f"to the cent, of {count(found.files, 'file')}"
            )
