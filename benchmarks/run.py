"""Asks every question and writes the answers into benchmarks/results: `make bench`.

What is quick, or of one question only, goes into build/benchmarks: those are no results to keep.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    cluster,
    daily_merge,
    export_csv,
    generate_cells,
    generate_hundred_million,
    generate_rows,
    hundred_million,
    kpi_queries,
    main_job,
    merge_csv,
    merge_parquet,
    plan_million_files,
    s3_job,
    start_up,
    upsert,
)
from benchmarks.harness import Answer, answer
from benchmarks.record import ROOT, describe_machine, write_json, write_page

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
    generate_cells,
    start_up,
)
LONG_QUESTIONS = (generate_hundred_million, hundred_million)
CORES = 2
RESULTS = ROOT / "benchmarks" / "results"
QUICK_RESULTS = ROOT / "build" / "benchmarks"
"""Of runs that only show whether everything works; nobody keeps them."""


def ask_all(*, quick: bool, long: bool, only: str, runs: int) -> Iterator[Answer]:
    """Asks the questions that the harness can answer, one after the other.

    Args:
        quick: With few rows.
        long: Also those of 100,000,000 rows.
        only: Name of the module whose question alone is asked; '' for all.
        runs: Measured runs of each case.
    """
    with tempfile.TemporaryDirectory(prefix="adlake-bench-") as folder:
        for question in QUESTIONS + LONG_QUESTIONS * long:
            if only and question.__name__ != f"benchmarks.{only}":
                continue
            asked = question.ask(Path(folder), quick=quick)
            print(asked.title, flush=True)
            yield answer(asked, runs=runs)


def ask_of_scale(*, quick: bool, runs: int) -> Iterator[Answer]:
    """Asks what takes a cluster, or a million files."""
    yield from cluster.answer_all(quick=quick, runs=runs)
    yield from plan_million_files.answer_all(quick=quick, runs=runs)


def main() -> None:
    """Runs the benchmarks; what was answered is written at once, as the next one may fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows, one run: does it work?")
    parser.add_argument("--long", action="store_true", help="also jobs of 100,000,000 rows")
    parser.add_argument("--only", default="", help="only the questions of this module")
    parser.add_argument("--scale", action="store_true", help="only clusters and a million files")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each case")
    options = parser.parse_args()
    runs = 1 if options.quick else options.runs
    # Some peers are told how many threads to use, others take all cores that they may have.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    machine = describe_machine()
    asked = (
        ask_of_scale(quick=options.quick, runs=runs)
        if options.scale
        else ask_all(quick=options.quick, long=options.long, only=options.only, runs=runs)
    )
    day = datetime.now(UTC).date()
    folder = QUICK_RESULTS if options.quick or options.only else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day}{'-scale' if options.scale else ''}.md"
    answers: list[Answer] = []
    for one in asked:
        answers.append(one)
        write_page(path, answers, day=day, machine=machine)
        write_json(path.with_suffix(".json"), answers, day=day, machine=machine)
    print(f"\n{path.read_text(encoding='utf-8')}")


if __name__ == "__main__":
    main()
