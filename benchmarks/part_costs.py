"""What one part of each step costs its worker: `python -m benchmarks.part_costs`.

Every part is worked on by a process of its own that has done nothing before, in a bucket on an S3
server of this machine: so its peak of memory is a worker's with one thread, and a proxy before the
server counts its requests. Seconds are those of CPU, also of the children that read what others
deliver: they say the same on a busy machine.
"""

import argparse
import multiprocessing
import os
import pickle
import resource
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from pipeline.engine import Engine
from pipeline.engine.cluster import FOR_WORKERS
from pipeline.export.run import export_parquet
from pipeline.export.target import FolderTarget
from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.lake import LANDING, Lake
from pipeline.schema import SEED_CSV_COLUMNS
from pipeline.settings import Settings
from pipeline.steps.merge import merge
from pipeline.steps.report import roll_up
from pipeline.storage import open_storage
from tests.fault_proxy import Proxy, start_proxy
from tests.s3 import BUCKET, clean_environ, start_server

START: Final = date(2024, 1, 1)
END: Final = date(2024, 1, 31)
TODAY: Final = date(2025, 1, 1)
SETTINGS: Final = Settings(workers=1, quiet_seconds=0)
LOTS: Final = 16
STEPS: Final[Mapping[str, str]] = {
    "generate": "generate: parts of days",
    "read raw": "read generated days",
    "read landing": "read delivered files (CSV)",
    "merge": "resolve and write dates of a month",
    "roll": "roll up months",
    "export": "export dates",
}
"""What the parts of a step are, by how their labels begin."""

Part = TypeVar("Part")
Result = TypeVar("Result")


class Cost(NamedTuple):
    """What a part took.

    Attributes:
        cpu_seconds: Of its process and of that one's children.
        peak_bytes: The process' peak of memory, or that of a child where it is higher.
        requests: To the store.
        read_bytes: Of the files that it fetched.
        written_bytes: Of the files that it put there.
        result_bytes: Of what travels back.
    """

    cpu_seconds: float
    peak_bytes: int
    requests: int
    read_bytes: int
    written_bytes: int
    result_bytes: int


@dataclass
class MeasuringEngine:
    """Works on one part after the other, each in a process of its own.

    Attributes:
        proxy: Before the store.
        lake: Where the parts are of.
        workers: As in `Engine`.
        is_remote: Likewise.
        costs: Of each part so far, by the step.
    """

    proxy: Proxy
    lake: Lake
    workers: int = 1
    is_remote: bool = True
    costs: dict[str, list[Cost]] = field(default_factory=lambda: defaultdict(list))

    def map(
        self,
        function: Callable[[Part], Result],
        parts: Iterable[Part],
        *,
        label: Callable[[Part], str],
        lanes: int = 1,  # noqa: ARG002 - as `Engine` says
    ) -> Generator[Result, None, None]:
        """As `Engine` says."""
        sent = pickle.dumps(function)
        context = multiprocessing.get_context("spawn")
        for part in parts:
            self.proxy.break_by()  # counts anew
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                answer, seconds, peak = pool.submit(_work, sent, pickle.dumps(part)).result()
            requests = self.proxy.requests
            read, written = (
                sum(self._list_sizes(one.path for one in requests if one.method == method))
                for method in ("GET", "PUT")
            )
            cost = Cost(seconds, peak, len(requests), read, written, len(answer))
            self.costs[_find_step(label(part))].append(cost)
            yield pickle.loads(answer)  # noqa: S301 - these bytes are ours

    def _list_sizes(self, requested: Iterable[str]) -> Iterator[int]:
        """The sizes of the files among what was asked for, each once, however many its pieces."""
        root = f"/{BUCKET}{urlsplit(self.lake.uri).path}/"
        for key in {unquote(urlsplit(path).path) for path in requested}:
            name = key.removeprefix(root)
            if name not in {"", key} and (entry := self.lake.storage.find(name)):
                yield entry.size


def _work(function: bytes, part: bytes) -> tuple[bytes, float, int]:
    """Works on one part; its result, the CPU seconds, and the peak of memory in bytes."""
    do, task = pickle.loads(function), pickle.loads(part)  # noqa: S301 - likewise
    before = _count_cpu()  # a worker has started long ago
    answer = pickle.dumps(do(task))
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(kind).ru_maxrss for kind in kinds) * 1024
    return answer, _count_cpu() - before, peak


def _count_cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _find_step(label: str) -> str:
    return next(name for begin, name in STEPS.items() if label.startswith(begin))


def measure(rows: int, lake: Lake, engine: Engine, out: Path) -> dict[str, int]:
    """Does each step once; gives the rows that went through it."""
    days = GenerateRequest(start=START, end=END, seed=7, rows=rows)
    generate_days(lake, days, today=TODAY, engine=engine)
    _deliver(lake, rows // 10)
    merge(lake, settings=SETTINGS, engine=engine)
    snapshot = lake.take_snapshot()
    roll_up(lake, snapshot, settings=SETTINGS, engine=engine)
    export_parquet(lake, snapshot, targets=[FolderTarget(out)], engine=engine)
    delivered = rows // 10
    both = rows + delivered
    return dict(zip(STEPS.values(), (rows, rows, delivered, both, both, both), strict=True))


def _deliver(lake: Lake, rows: int) -> None:
    """Puts lots as the original program made them into landing/."""
    for number in range(LOTS):
        lines = [",".join(SEED_CSV_COLUMNS)]
        for line in range(rows // LOTS):
            name = f"00000000-0000-4000-8000-{number:04d}{line:08d}"
            day = START.replace(day=1 + line % END.day)
            lines.append(f"{name},{day},Google ADS,Mujer 18-25,1000,0.05,50,0.50,25.00,1.20")
        text = "\n".join(lines) + "\n"
        lake.storage.create(f"{LANDING}/lots/delivered=2024-02-01/l{number}.csv", text.encode())


def print_table(costs: Mapping[str, list[Cost]], rows: Mapping[str, int]) -> None:
    """Prints medians over a step's parts, and the highest of their peaks."""
    print(
        "| a part that ... | parts | rows a part | CPU s | CPU s a million rows | peak MB "
        "| requests | MB read | MB written | bytes back |"
    )
    print("|---|" + "---:|" * 9)
    for name, parts in costs.items():
        middle = [statistics.median(column) for column in zip(*parts, strict=True)]
        total = sum(part.cpu_seconds for part in parts)
        cells = (
            name,
            f"{len(parts)}",
            f"{rows[name] / len(parts):,.0f}",
            f"{middle[0]:.2f}",
            f"{total / rows[name] * 1e6:.1f}",
            f"{max(part.peak_bytes for part in parts) / 1e6:,.0f}",
            f"{middle[2]:.0f}",
            f"{middle[3] / 1e6:.1f}",
            f"{middle[4] / 1e6:.1f}",
            f"{middle[5]:,.0f}",
        )
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="generated rows of a month")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="adlake-parts-") as folder,
        start_server(Path(folder)) as server,
        start_proxy(server.endpoint) as proxy,
    ):
        environ = clean_environ() | FOR_WORKERS | server.describe()
        os.environ.clear()
        os.environ.update(environ | {"AWS_ENDPOINT_URL": proxy.endpoint})
        lake = Lake(open_storage(f"s3://{BUCKET}/lake"))
        engine = MeasuringEngine(proxy, lake)
        rows = measure(options.rows, lake, engine, Path(folder) / "out")
    print_table(engine.costs, rows)


if __name__ == "__main__":
    main()
