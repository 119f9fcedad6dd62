"""How long does a command take that has hardly anything to do?"""

from pathlib import Path

from benchmarks.commands import adlake, python
from benchmarks.harness import Case, Question, run_command


def ask(folder: Path, *, quick: bool) -> Question:
    """The lake of `adlake run` without options, and Python's own start."""
    del quick  # it is quick
    lake = folder / "start_up"
    run_command(adlake("run", "--lake", lake, "--no-csv"))

    def case(name: str, command: list[str]) -> Case:
        return Case(name=name, rows=1, commands=[command], prepare=lambda: None, check=lambda: None)

    return Question(
        "Start-up, on the lake of `adlake run` without options",
        [
            case("adlake --help", adlake("--help")),
            case("adlake kpi platform", adlake("kpi", "platform", "--lake", lake)),
            case("python -c pass", python("pass")),
        ],
    )
