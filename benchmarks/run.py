"""Asks every question and writes the answers into benchmarks/results: `make bench`.

What is quick, or of one question only, goes into build/benchmarks: those are no results to keep.
"""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    daily_merge,
    export_csv,
    generate_cells,
    generate_rows,
    hundred_million,
    kpi_queries,
    main_job,
    merge_csv,
    merge_parquet,
    s3_job,
    start_up,
    upsert,
)
from benchmarks.harness import answer
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
LONG_QUESTIONS = (hundred_million,)
RESULTS = ROOT / "benchmarks" / "results"
QUICK_RESULTS = ROOT / "build" / "benchmarks"
"""Of runs that only show whether everything works; nobody keeps them."""


def main() -> None:
    """Runs the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows, one run: does it work?")
    parser.add_argument("--long", action="store_true", help="also jobs of 100,000,000 rows")
    parser.add_argument("--only", default="", help="only the questions of this module")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each case")
    options = parser.parse_args()
    runs = 1 if options.quick else options.runs
    machine = describe_machine()
    answers = []
    with tempfile.TemporaryDirectory(prefix="adlake-bench-") as home:
        for question in QUESTIONS + LONG_QUESTIONS * options.long:
            if options.only and question.__name__ != f"benchmarks.{options.only}":
                continue
            asked = question.ask(Path(home), quick=options.quick)
            print(asked.title, flush=True)
            answers.append(answer(asked, runs=runs))
    day = datetime.now(UTC).date()
    folder = QUICK_RESULTS if options.quick or options.only else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day}.md"
    write_page(path, answers, day=day, machine=machine)
    write_json(path.with_suffix(".json"), answers, day=day, machine=machine)
    print(f"\n{path.read_text(encoding='utf-8')}")


if __name__ == "__main__":
    main()
