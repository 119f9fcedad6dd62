"""How long does the main job take in a bucket, on the S3 server of `make s3`?

The original's three scripts do theirs on the same server, in a folder of their own.

The server works on the same machine; its time is not in the figures of CPU, but its work slows the
job down.
"""

from functools import partial
from pathlib import Path

from benchmarks.commands import adlake, empty, expect_lines, original
from benchmarks.harness import Case, Question
from pipeline.storage import open_storage

CSV = "marketing_master_dataset.csv"
BUCKET, THEIRS = "s3://lake/bench", "s3://lake/bench-original"


def ask(folder: Path, *, quick: bool) -> Question:
    """The same job from nothing, in a folder and in a bucket."""
    rows = 10_000 if quick else 500_000
    here, there = folder / "s3_job_folder", folder / "s3_job_bucket"
    local = folder / "s3_job_original"

    def empty_bucket(name: str) -> None:
        bucket = open_storage(name)
        for entry in bucket.list(""):
            bucket.delete(entry.path)

    def run(lake: str | Path, exports: Path) -> list[list[str]]:
        return [adlake("run", "--rows", str(rows), "--lake", lake, "--local-dir", exports)]

    return Question(
        f"The main job in a bucket: {rows:,} rows, on an S3 server of this machine",
        [
            Case(
                name="adlake run, local folder",
                rows=rows,
                commands=run(here / "lake", here / "exports"),
                prepare=empty(here),
                check=expect_lines(here / "exports" / CSV, rows + 1),
            ),
            Case(
                name="adlake run, S3 on loopback",
                rows=rows,
                commands=run(BUCKET, there),
                prepare=partial(empty_bucket, BUCKET),
                check=expect_lines(there / CSV, rows + 1),
            ),
            Case(
                name="original: generate, merge, report on the same S3 server",
                rows=rows,
                commands=[
                    original("generate", THEIRS, "--rows", str(rows)),
                    original("merge", THEIRS, local),
                    original("report", THEIRS),
                ],
                prepare=partial(empty_bucket, THEIRS),
                check=expect_lines(local / CSV, rows + 1),
            ),
        ],
    )
