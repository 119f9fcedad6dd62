"""Asks every question and writes the answers into benchmarks/results: `make bench`."""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    cluster,
    daily_merge,
    export_csv,
    generate_rows,
    kpi_queries,
    main_job,
    merge_csv,
    merge_parquet,
    plan_million_files,
    s3_job,
    upsert,
)
from benchmarks.harness import Answer, answer
from benchmarks.record import describe_machine, write_json, write_page

QUESTIONS = (
    main_job,
    s3_job,
    merge_csv,
    merge_parquet,
    upsert,
    daily_merge,
    kpi_queries,
    export_csv,
    generate_rows,
)
RESULTS = Path(__file__).parent / "results"


def ask_all(*, quick: bool, runs: int) -> list[Answer]:
    """Asks the questions that the harness can answer."""
    answers = []
    with tempfile.TemporaryDirectory(prefix="adlake-bench-") as folder:
        for question in QUESTIONS:
            asked = question.ask(Path(folder), quick=quick)
            print(asked.title, flush=True)
            answers.append(answer(asked, runs=runs))
    return answers


def main() -> None:
    """Runs the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows, one run: does it work?")
    parser.add_argument("--scale", action="store_true", help="only clusters and a million files")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each case")
    options = parser.parse_args()
    runs = 1 if options.quick else options.runs
    machine = describe_machine()
    if options.scale:
        answers = cluster.answer_all(quick=options.quick, runs=runs)
        answers += plan_million_files.answer_all(quick=options.quick, runs=runs)
    else:
        answers = ask_all(quick=options.quick, runs=runs)
    day = datetime.now(UTC).date()
    kind = f"{'-scale' if options.scale else ''}{'-quick' if options.quick else ''}"
    path = RESULTS / f"{day}{kind}.md"
    write_page(path, answers, day=day, machine=machine)
    write_json(path.with_suffix(".json"), answers, day=day, machine=machine)
    print(f"\n{path.read_text(encoding='utf-8')}")


if __name__ == "__main__":
    main()
