"""Messy deliveries that arrive bit by bit."""

import shutil
from collections.abc import Iterable
from datetime import date, timedelta

from pipeline.care.truth import Difference
from pipeline.generate.request import GenerateRequest
from pipeline.steps.generate_messy import MessyPlan, generate_messy
from pipeline.steps.verify import verify
from tests.steps.conftest import Home

START = date(2024, 2, 10)
TODAY = date(2024, 12, 31)


def make_request(seed: int, *, days: int = 10, rows: int = 500) -> GenerateRequest:
    end = START + timedelta(days=days - 1)
    return GenerateRequest(start=START, end=end, seed=seed, rows=rows)


def announce(home: Home, request: GenerateRequest) -> MessyPlan:
    """Writes the truth of deliveries of which none has arrived yet."""
    plan = generate_messy(home.lake, request, today=TODAY)
    shutil.rmtree(home.root / "landing")
    return plan


def arrive(home: Home, plan: MessyPlan, paths: Iterable[str]) -> None:
    for path in paths:
        target = home.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(plan.files[path])


def find_differences(home: Home) -> list[Difference]:
    return verify(home.lake, home.lake.take_snapshot()).differences


def cut(paths: list[str], parts: int) -> list[list[str]]:
    """Neighbours together, in parts of nearly one size."""
    return [paths[len(paths) * n // parts : len(paths) * (n + 1) // parts] for n in range(parts)]
