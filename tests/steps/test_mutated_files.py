"""Damaged files of every dialect: each is read or refused with a reason, and no row is lost.

Mutations as a fuzzer makes them, of the sample exports: bytes flipped, cut out, doubled, moved and
put in, and marks that mean something to a reader in places where nobody expects them.
"""

import shutil
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts import load_contracts
from pipeline.engine import Crashed, map_isolated
from pipeline.steps.ingest import FileTask, Ingested, ingest_file
from tests.exports import CONNECTOR_EXPORTS, DOWNLOADS, EXPORTS, Export

ALL: Final = {one.name: one for one in (*EXPORTS, *CONNECTOR_EXPORTS, *DOWNLOADS)}
BINARIES: Final = {name: one for name, one in ALL.items() if one.file_name.endswith(".parquet")}
TEXTS: Final = {name: one for name, one in ALL.items() if name not in BINARIES}
CONTRACTS: Final = tuple(load_contracts().values())
WITH_FOOTER: Final = {one.name for one in CONTRACTS if one.footer}
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


shares = st.floats(0, 1, allow_nan=False)
mutations = st.lists(
    st.one_of(
        st.builds(put_in, st.sampled_from(MARKS), shares),
        st.builds(put_in, st.binary(min_size=1, max_size=8), shares),
        st.builds(flip, st.integers(0, 7), shares),
        st.builds(cut_out, shares, shares),
        st.builds(double, shares, shares),
        st.builds(keep, shares),
    ),
    min_size=1,
    max_size=5,
)


def mutate(export: Export, changes: list[Mutation], folder: Path) -> FileTask:
    """The damaged file, as a child gets it."""
    path = export.write(folder / "landing")
    data = path.read_bytes()
    for change in changes:
        data = change(data)
    path.write_bytes(data)
    (folder / "spool").mkdir()
    return FileTask(
        read_no=0,
        path=f"landing/{export.source}/{path.name}",
        local=path,
        contracts=CONTRACTS,
        source=export.source,
        delivered_on=date(2024, 6, 1),
        spool=folder / "spool",
        currency=None if export.states_currency else "EUR",
    )


def count_lines(path: Path) -> int | None:
    """The lines of a file of which each is a record by itself; None where one may go on."""
    data = path.read_bytes()
    text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "latin-1", "replace")
    if '"' in text:
        return None
    return text.count("\n") + (not text.endswith("\n"))


def check_text(name: str, changes: list[Mutation]) -> None:
    export = TEXTS[name]
    folder = Path(tempfile.mkdtemp(prefix="adlake-mutated-"))
    try:
        task = mutate(export, changes, folder)
        result = ingest_file(task)
        assert isinstance(result, Ingested)
        if result.reason:
            assert result.detail
            assert (result.valid, result.quarantined, result.spooled) == (0, 0, [])
            return
        lines = count_lines(task.local)
        footer = 4  # the lines below all rows, which a contract may name
        said = result.control + 1 + result.valid + result.quarantined  # with the header
        if lines is not None:
            assert lines - footer <= said <= lines
            assert said == lines or export.contract in WITH_FOOTER
    finally:
        shutil.rmtree(folder)


def check_binary(name: str, changes: list[Mutation]) -> None:
    export = BINARIES[name]
    folder = Path(tempfile.mkdtemp(prefix="adlake-mutated-"))
    try:
        task = mutate(export, changes, folder)
        [result] = map_isolated(
            ingest_file, [task], workers=1, cpu_seconds=limit_seconds, memory_bytes=4 << 30
        )
        if isinstance(result, Crashed):
            assert "CPU seconds" not in result.detail, result.detail
            return  # contained: the merge refuses the file as `reader_crashed`
        assert result.reason or result.valid + result.quarantined > 0
    finally:
        shutil.rmtree(folder)


few = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
many = settings(max_examples=9_000, suppress_health_check=[HealthCheck.too_slow])
few_binaries = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
many_binaries = settings(max_examples=1_000, suppress_health_check=[HealthCheck.too_slow])


@few
@given(st.sampled_from(sorted(TEXTS)), mutations)
def test_a_damaged_text_is_read_or_refused_and_no_line_is_lost(
    name: str, changes: list[Mutation]
) -> None:
    check_text(name, changes)


@pytest.mark.slow
@few_binaries
@given(st.sampled_from(sorted(BINARIES)), mutations)
def test_a_damaged_parquet_file_takes_nothing_down(name: str, changes: list[Mutation]) -> None:
    check_binary(name, changes)


@pytest.mark.soak
@many
@given(st.sampled_from(sorted(TEXTS)), mutations)
def test_nine_thousand_damaged_texts(name: str, changes: list[Mutation]) -> None:
    check_text(name, changes)


@pytest.mark.soak
@many_binaries
@given(st.sampled_from(sorted(BINARIES)), mutations)
def test_a_thousand_damaged_parquet_files(name: str, changes: list[Mutation]) -> None:
    check_binary(name, changes)
