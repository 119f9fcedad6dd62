"""Makes the lake that stays as the witness of a format: `python -m tests.formats.make_lake`.

It is run once for each format, by the adlake that writes it; what is there is never made anew, or
it would no longer say what that adlake wrote.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipeline.lake import FORMAT_VERSION
from tests.exports import make_google_export
from tests.lots import make_line, write_lot

QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "rows.csv": ("query", "select * from ad_day order by all", "--format", "csv"),
    "files.csv": ("query", "select * from account order by all", "--format", "csv"),
    "rejects.csv": ("query", "select * from quarantine order by all", "--format", "csv"),
    "platform.csv": ("kpi", "platform", "--format", "csv"),
    "audience.csv": ("kpi", "audience", "--format", "csv"),
    "campaign.csv": ("kpi", "campaign", "--format", "csv"),
    "quality.csv": ("kpi", "quality", "--format", "csv"),
    "first.csv": ("kpi", "platform", "--version", "1", "--format", "csv"),
}
"""What is asked of the lake, by the name of the file that has the answer."""


def ask(lake: Path, *arguments: str) -> str:
    """What a command prints.

    Raises:
        subprocess.CalledProcessError: It ended with something else than 0.
    """
    environ = {name: text for name, text in os.environ.items() if not name.startswith("ADLAKE_")}
    command = [sys.executable, "-m", "pipeline", *arguments, "--lake", str(lake)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


def make_lake(lake: Path) -> None:
    """Generated days, lots with a line that is refused, and a report that restates another."""
    ask(lake, "generate", "--start", "2024-01-30", "--end", "2024-02-01", "--rows", "60")
    delivered = lake / "landing/google_ads/delivered=2024-02-01T060000Z"
    make_google_export("en").write(delivered)
    lines = [make_line(campaign_id=f"c{number}") for number in range(3)]
    write_lot(lake / "landing/lots/lot.csv", [*lines, make_line(costo_total="much")])
    ask(lake, "merge")
    make_google_export("es").write(delivered.with_name("delivered=2024-02-02T060000Z"))
    ask(lake, "merge")


def main() -> None:
    """Makes the lake of this adlake's format, and what it says."""
    home = Path(__file__).parent / str(FORMAT_VERSION)
    make_lake(home / "lake")
    answers = home / "answers"
    answers.mkdir()
    for name, question in QUESTIONS.items():
        (answers / name).write_text(ask(home / "lake", *question), encoding="utf-8")


if __name__ == "__main__":
    main()
