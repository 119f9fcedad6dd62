"""The log of a table as a listing shows it, and what its entries say."""

import json

import pytest

from pipeline.delta.entry import NO_HASH, parse_commit, parse_entry, seal
from pipeline.delta.log import Commit, find_log_faults, name_entry
from pipeline.errors import LakeError


def make_sizes(*versions: int, checkpoint: int | None = None) -> dict[str, int]:
    sizes = {name_entry(version).rpartition("/")[2]: 100 for version in versions}
    if checkpoint is not None:
        sizes[f"{checkpoint:020d}.checkpoint.parquet"] = 100
        sizes["_last_checkpoint"] = 100
    return sizes


def find_versions(sizes: dict[str, int]) -> list[int]:
    return [int(fault.name.partition(".")[0]) for fault in find_log_faults(sizes)]


@pytest.mark.parametrize(
    ("sizes", "wrong"),
    [
        ({}, []),
        (make_sizes(0, 1, 2), []),
        (make_sizes(0, 1, 2) | {f"{1:020d}.json#1": 0, "other.txt": 0}, []),
        (make_sizes(0, 2, 4), [1, 3]),
        (make_sizes(1, 2), [0]),
        (make_sizes(5, 6, checkpoint=5), []),
        (make_sizes(5, 6, checkpoint=4), []),
        (make_sizes(6, 7, checkpoint=4), [0, 1, 2, 3, 4, 5]),
        (make_sizes(0, 1, 2, checkpoint=3), [3]),
        (make_sizes(0, 1, 2) | {f"{2:020d}.checkpoint.parquet": 0}, [2]),
        (make_sizes(0, 1) | {name_entry(2).rpartition("/")[2]: 0}, [2]),
    ],
)
def test_holes_and_empty_entries_are_named(sizes: dict[str, int], wrong: list[int]) -> None:
    assert find_versions(sizes) == wrong


def test_an_entry_tells_what_came_and_what_went() -> None:
    actions: list[dict[str, object]] = [
        {"commitInfo": {"timestamp": 17}},
        {"add": {"path": "year=2024/a%20b.parquet", "size": 3}},
        {"remove": {"path": "old.parquet"}},
        {"txn": {"appId": "adlake", "version": 1}},
    ]
    entry = parse_entry("\n".join(map(json.dumps, actions)).encode(), "x")
    assert entry.at_ms == 17
    assert entry.adds == {"year=2024/a b.parquet": 3}
    assert entry.removes == {"old.parquet"}


def test_an_entry_knows_its_own_bytes_and_one_without_a_hash_is_taken_as_it_is() -> None:
    said = {"command": "create", "sha256": NO_HASH}
    lines = [{"commitInfo": {"timestamp": 17, "adlake": said}}, {"txn": {"sha256": NO_HASH}}]
    sealed = seal("\n".join(json.dumps(one, separators=(",", ":")) for one in lines).encode())
    commit = parse_commit(sealed, 3, "x")
    assert (commit.at_ms, commit.metadata, commit.is_sealed) == (17, {"command": "create"}, True)
    with pytest.raises(LakeError, match=r"x is half written or damaged \(its bytes are not those"):
        parse_commit(sealed.replace(b"17", b"18"), 3, "x")
    for metadata in ({}, {"n": 1}, {"command": "create"}):
        data = json.dumps({"commitInfo": {"adlake": metadata}}).encode()
        assert parse_commit(data, 3, "x") == Commit(3, 0, "", metadata)


@pytest.mark.parametrize("data", [b'{"add": {"path": "a"', b'{"add": {}}', b"\xff", b"[1]", b"1"])
def test_a_cut_or_damaged_entry_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(LakeError, match=r"0007\.json is half written or damaged"):
        parse_entry(data, "0007.json")
