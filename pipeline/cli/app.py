"""The commands, in the order of the data's way."""

import io
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from pipeline.cli import care, deliver, generate, init, query, read, signals, upkeep
from pipeline.cli.contract import contract
from pipeline.cli.quarantine import quarantine
from pipeline.errors import UsageError

app = typer.Typer(
    name="adlake",
    help="A small lakehouse for advertising performance data.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(init.init)
app.command()(generate.run)
app.command()(generate.generate)
app.command()(deliver.land)
app.command()(deliver.merge)
app.command()(deliver.withdraw)
app.add_typer(contract, name="contract")
app.add_typer(quarantine, name="quarantine")
app.command()(read.kpi)
app.command()(read.diff)
app.command()(read.report)
app.command()(read.export)
app.command()(query.query)
app.command()(query.views)
app.command()(care.status)
app.command()(care.inspect)
app.command()(care.doctor)
app.command()(care.verify)
app.command()(upkeep.fsck)
app.command()(upkeep.compact)
app.command()(upkeep.vacuum)
app.command()(upkeep.rebuild)
app.command()(upkeep.history)
app.command()(upkeep.upgrade)


def _print_version(wanted: bool) -> None:
    if wanted:
        from pipeline.cli.versions import describe_versions

        print(describe_versions())
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print adlake's version, the lake's format and the engines' versions.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    pass


def run() -> None:
    """Runs the command line and exits with the code that belongs to the outcome."""
    signals.end_by_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may know ASCII only
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="adlake", standalone_mode=False)
    except TyperException as error:
        print(f"adlake: {_describe_misuse(error)}", file=sys.stderr)
        sys.exit(UsageError.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        code = signals.EXIT_INTERRUPTED
    code = code if isinstance(code, int) else 0
    if signals.find_exit_code() is not None:
        signals.leave(code)
    sys.exit(code)


def _describe_misuse(error: TyperException) -> str:
    """One line on what is wrong with the arguments, and where the right ones are described."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "adlake"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return f"{message.rstrip('.')} (see {command} --help)"
