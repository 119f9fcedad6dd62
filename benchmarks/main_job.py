"""How long does the whole job take, against the original's three scripts?"""

from pathlib import Path

from benchmarks.commands import adlake, empty, expect_lines, original
from benchmarks.harness import Case, Question

CSV = "marketing_master_dataset.csv"


def ask(folder: Path, *, quick: bool) -> Question:
    """Generate, merge, report and export, from nothing, on a local folder."""
    rows = 10_000 if quick else 500_000
    size = ("--rows", str(rows))
    ours = folder / "main_job"
    theirs = folder / "main_job_original"
    bucket, local = theirs / "bucket", theirs / "local"
    return Question(
        f"The main job: {rows:,} rows of a year from nothing to report and CSV, local folder",
        [
            Case(
                name="adlake run",
                rows=rows,
                commands=[
                    adlake("run", *size, "--lake", ours / "lake", "--local-dir", ours / "local")
                ],
                prepare=empty(ours),
                check=expect_lines(ours / "local" / CSV, rows + 1),
            ),
            Case(
                name="original: generate, merge, report (Faker, pandas)",
                rows=rows,
                commands=[
                    original("generate", bucket, *size),
                    original("merge", bucket, local),
                    original("report", bucket),
                ],
                prepare=empty(theirs),
                check=expect_lines(local / CSV, rows + 1),
            ),
        ],
    )
