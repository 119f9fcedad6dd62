"""Commands that look after a lake: status, inspect, doctor."""

import typer

from pipeline.cli.options import (
    DebugOption,
    Format,
    FormatOption,
    LakeOption,
    VerboseOption,
    VersionOption,
    open_session,
)
from pipeline.errors import StorageError


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

        found = look(session.lake, session.lake.take_snapshot(version))
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
