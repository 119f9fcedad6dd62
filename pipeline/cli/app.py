"""The commands, in the order of the data's way."""

import sys
from importlib import metadata
from typing import Annotated

import typer

from pipeline.cli import care, deliver, read

app = typer.Typer(
    name="adlake",
    help="A small lakehouse for advertising performance data.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(deliver.run)
app.command()(deliver.generate)
app.command()(deliver.land)
app.command()(deliver.merge)
app.command()(read.kpi)
app.command()(read.report)
app.command()(read.export)
app.command()(read.query)
app.command()(read.views)
app.command()(care.status)
app.command()(care.inspect)
app.command()(care.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"adlake {metadata.version('adlake')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command line."""
    try:
        app()
    except KeyboardInterrupt:
        print("adlake: interrupted; what was committed stands", file=sys.stderr)
        sys.exit(130)
