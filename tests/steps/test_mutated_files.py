"""Damaged files of every dialect: each is read or refused with a reason, and no row is lost.

Mutations as a fuzzer makes them, of the sample exports: bytes flipped, cut out, doubled, moved and
put in, and marks that mean something to a reader in places where nobody expects them.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts import load_contracts
from pipeline.engine import Crashed, map_isolated
from pipeline.read.recognise import recognise
from pipeline.steps.ingest import FileTask, Ingested, ingest_file
from tests.exports import CONNECTOR_EXPORTS, DOWNLOADS, EXPORTS
from tests.exports.quoting import QUOTINGS, Quoting, quote
from tests.steps.said_lines import check_lines, list_accepted, list_rejects

ALL: Final = {one.name: one for one in (*EXPORTS, *CONNECTOR_EXPORTS, *DOWNLOADS)}
BINARIES: Final = {name: one for name, one in ALL.items() if one.file_name.endswith(".parquet")}
TEXTS: Final = {name: one for name, one in ALL.items() if name not in BINARIES}
CONTRACTS: Final = tuple(load_contracts().values())
MARKS: Final = [
    *(b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\x1a"),
    *(b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xc2\xa0"),
    *(b"-", b"--", b"1e308", b"NaN", b"inf", b"0x10", b"1_000", b"9" * 40, b"-0", b"1,5", b"1.5"),
    *(b"2024-02-30", b"31/12/2024", b"=1+1", b"'", b"<", b"Total", b"%", b" ", b"\xd9\xa1"),
]

Mutation = Callable[[bytes], bytes]


def limit_seconds(_: FileTask) -> float:
    return 20.0


def at(data: bytes, share: float) -> int:
    return int(share * len(data))


def put_in(mark: bytes, share: float) -> Mutation:
    return lambda data: data[: at(data, share)] + mark + data[at(data, share) :]


def flip(bit: int, share: float) -> Mutation:
    def mutate(data: bytes) -> bytes:
        place = min(at(data, share), len(data) - 1)
        if place < 0:
            return data
        return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]

    return mutate


def cut_out(first: float, second: float) -> Mutation:
    first, second = sorted((first, second))
    return lambda data: data[: at(data, first)] + data[at(data, second) :]


def double(first: float, second: float) -> Mutation:
    first, second = sorted((first, second))
    return lambda data: data[: at(data, second)] + data[at(data, first) :]


def keep(share: float) -> Mutation:
    return lambda data: data[: at(data, share)]


def list_mutations(shares: st.SearchStrategy[float]) -> st.SearchStrategy[list[Mutation]]:
    one = st.one_of(
        st.builds(put_in, st.sampled_from(MARKS), shares),
        st.builds(put_in, st.binary(min_size=1, max_size=8), shares),
        st.builds(flip, st.integers(0, 7), shares),
        st.builds(cut_out, shares, shares),
        st.builds(double, shares, shares),
        st.builds(keep, shares),
    )
    return st.lists(one, min_size=1, max_size=4)


def list_shares(first: float) -> st.SearchStrategy[float]:
    """Places from a share of the file on; whole numbers lie less often at the very ends."""
    return st.integers(int(first * 10_000), 10_000).map(lambda number: number / 10_000)


below = list_mutations(list_shares(0.4))
"""Mostly below the header: of damage to it, and of much else, a file is refused."""

bits = st.lists(st.builds(flip, st.integers(0, 7), list_shares(0)), min_size=1, max_size=2)
anywhere = list_mutations(list_shares(0))


class Case(NamedTuple):
    """A damaged file: of which sample, with which quotes, and what was done to it."""

    name: str
    quoting: Quoting
    changes: list[Mutation]


def mutate(case: Case, folder: Path, number: int) -> FileTask:
    """The damaged file, as a child gets it."""
    export = quote(ALL[case.name], case.quoting)
    path = export.write(folder / str(number))
    data = path.read_bytes()
    for change in case.changes:
        data = change(data)
    path.write_bytes(data)
    return FileTask(
        read_no=number,
        path=f"landing/{export.source}/{path.name}",
        local=path,
        contracts=CONTRACTS,
        source=export.source,
        delivered_on=date(2024, 6, 1),
        spool=folder,
        currency=None if export.states_currency else "EUR",
    )


def check_text(task: FileTask, result: Ingested) -> str:
    """Checks what is said of a text; says whether it was taken, and with a quote or without."""
    layout = recognise(task.local, CONTRACTS, source=task.source)
    assert layout.contract.name == result.contract
    check_lines(task.local, result, layout)
    return "quoted" if b'"' in task.local.read_bytes() else "plain"


def check_binary(task: FileTask, result: Ingested) -> str:
    """Checks what is said of a Parquet file against the rows that its footer names."""
    rows = pq.read_metadata(task.local).num_rows  # a file without a footer is none to be taken
    lines = [*list_accepted(result), *(line for line, _ in list_rejects(result))]
    assert sorted(lines) == list(range(1, rows + 1))
    return "taken"


def check_all(cases: Sequence[Case], check: Callable[[FileTask, Ingested], str]) -> Counter[str]:
    """Reads damaged files as a merge does, in a child with limits; says what became of them."""
    fates: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="adlake-mutated-") as folder:
        tasks = [mutate(case, Path(folder), number) for number, case in enumerate(cases)]
        results = map_isolated(
            ingest_file, tasks, workers=1, cpu_seconds=limit_seconds, memory_bytes=4 << 30
        )
        for task, result in zip(tasks, results, strict=True):
            if isinstance(result, Crashed):
                # Native code may die: the merge refuses the file as `reader_crashed`. Nothing may
                # hang, and none of our own code may fail.
                assert result.detail == "the process that read it died", (task.path, result.detail)
                fates["crashed"] += 1
            elif result.reason:
                assert result.detail
                assert (result.valid, result.quarantined, result.spooled) == (0, 0, [])
                fates["refused"] += 1
            else:
                fates[check(task, result)] += 1
    return fates


def run(
    cases: st.SearchStrategy[Case],
    check: Callable[[FileTask, Ingested], str],
    *,
    files: int,
    together: int,
) -> Counter[str]:
    """Makes and checks so many files, some in one child; says what became of them."""
    fates: Counter[str] = Counter()

    @settings(max_examples=files // together, suppress_health_check=list(HealthCheck))
    @given(st.lists(cases, min_size=together, max_size=together))
    def check_some(some: list[Case]) -> None:
        fates.update(check_all(some, check))

    check_some()
    sys.stdout.write(f"{dict(fates)}\n")
    return fates


def check_texts(files: int) -> None:
    cases = st.builds(
        Case,
        st.sampled_from(sorted(TEXTS)),
        st.sampled_from(QUOTINGS),
        st.one_of(below, bits, anywhere),
    )
    fates = run(cases, check_text, files=files, together=20)
    assert fates["crashed"] == 0
    assert fates["quoted"] > files // 10
    assert fates["plain"] > files // 20


def check_binaries(files: int) -> Counter[str]:
    names = st.sampled_from(sorted(BINARIES))
    cases = st.builds(Case, names, st.just("as made"), st.one_of(bits, bits, anywhere))
    return run(cases, check_binary, files=files, together=5)


@pytest.mark.parametrize("quoting", QUOTINGS)
def test_a_row_of_which_nothing_is_said_does_not_pass_the_count(
    tmp_path: Path, quoting: Quoting
) -> None:
    task = mutate(Case("tiktok_ads download", quoting, []), tmp_path, 0)
    result = ingest_file(task)
    check_text(task, result)
    [path] = result.spooled
    pl.read_ipc(path)[1:].write_ipc(tmp_path / "fewer")
    result.spooled = [tmp_path / "fewer"]
    with pytest.raises(AssertionError):
        check_text(task, result)


@pytest.mark.slow
def test_a_damaged_text_is_read_or_refused_and_no_line_is_lost() -> None:
    check_texts(300)


@pytest.mark.slow
def test_a_damaged_parquet_file_is_refused_or_no_row_of_it_is_lost() -> None:
    check_binaries(25)


@pytest.mark.soak
def test_nine_thousand_damaged_texts() -> None:
    check_texts(9_000)


@pytest.mark.soak
def test_a_thousand_damaged_parquet_files() -> None:
    assert check_binaries(1_000)["taken"] > 100  # of a few it may be any number
