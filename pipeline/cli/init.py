"""The command that begins a project: init."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.command import Session, on_lake

if TYPE_CHECKING:
    from pipeline.steps.init import Begun

HERE = Path()


@on_lake
def init(
    session: Session,
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Folder of the project [default: here].", show_default=False
        ),
    ] = HERE,
) -> None:
    """Begin a project: a settings file, a folder of contracts, the DAGs; nothing is overwritten."""
    from pipeline.cli.output import locate
    from pipeline.steps.init import init as begin

    locate(directory)  # refuses a bucket's name
    _say_begun(begin(directory, lake_uri=session.settings.lake_uri), directory)


def _say_begun(files: "list[Begun]", directory: Path) -> None:
    for file in files:
        done = "wrote" if file.written else "left as it was:"
        typer.echo(f"{done} {file.path} ({file.purpose})")
    typer.echo("\nWhat to do next:")
    if directory.resolve() != HERE.resolve():
        typer.echo(f"  cd {shlex.quote(str(directory))}")
    typer.echo(
        "  . ./adlake.env              take the settings into this shell; look at them first\n"
        "  adlake doctor               can the lake be reached, written and read?\n"
        "  adlake run                  a lake full of synthetic data, to look around\n"
        "  adlake land FILE            or an export of your own ...\n"
        "  adlake merge                ... into the master"
    )
