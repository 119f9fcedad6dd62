import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import LakeError
from pipeline.manifest import (
    Manifest,
    ManifestFile,
    ManifestKey,
    manifest_path,
    name_file,
    parse_manifest_path,
    read_manifest,
    write_manifest,
)


def make_manifest(**changes: Any) -> Manifest:
    hashes = ["ab" * 32, "cd" * 32]
    content: dict[str, Any] = {
        "account": "demo-42",
        "date": date(2024, 3, 5),
        "generation": 1,
        "seed": 42,
        "locale": "es_AR",
        "files": tuple(
            ManifestFile(
                name=name_file(account="demo-42", part=part, sha256=sha256),
                rows=10,
                size=100,
                sha256=sha256,
            )
            for part, sha256 in enumerate(hashes)
        ),
    }
    return Manifest(**content | changes)


def test_a_manifest_reads_back_as_it_was() -> None:
    for manifest in (make_manifest(), make_manifest(files=())):
        data = write_manifest(manifest)

        assert read_manifest(data) == manifest
        assert data.endswith(b"}\n")
        assert list(json.loads(data)) == sorted(json.loads(data))


def test_a_manifest_states_what_the_merge_needs() -> None:
    content = json.loads(write_manifest(make_manifest()))

    assert content["source"] == "generated"
    assert content["currency"] == "USD"
    assert content["rows"] == 20
    assert content["delivered_at"] == "2024-03-06T00:00:01Z"
    assert make_manifest().delivered_at == datetime(2024, 3, 6, 0, 0, 1, tzinfo=UTC)


@given(day=st.dates(), seed=st.integers(0, 2**63 - 1), generation=st.integers(0, 10**9 - 1))
def test_a_path_reads_back_as_it_was(day: date, seed: int, generation: int) -> None:
    account = f"demo-{seed}"

    path = manifest_path(day=day, account=account, generation=generation)

    assert parse_manifest_path(path) == ManifestKey(day, account, generation)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "the manifest",
        "raw/ad_day/date=2024-02-30/demo-1.0.manifest.json",
        "raw/ad_day/date=2024-3-5/demo-1.0.manifest.json",
        "raw/ad_day/date=2024-03-05/demo-1.01.manifest.json",
        "raw/ad_day/date=2024-03-05/demo-1.-1.manifest.json",
        "raw/ad_day/date=2024-03-05/demo-1.manifest.json",
        "raw/ad_day/date=2024-03-05/demo-1.0.manifest.json\n",
        "raw/ad_day/date=2024-03-05/demo-\N{ARABIC-INDIC DIGIT ONE}.0.manifest.json",
        "raw/ad_day/date=2024-03-05/x/demo-1.0.manifest.json",
        "other/raw/ad_day/date=2024-03-05/demo-1.0.manifest.json",
        "raw/ad_day/date=2024-03-05/demo-1-00000-0123456789abcdef.parquet",
    ],
)
def test_other_paths_are_no_manifests(path: str) -> None:
    assert parse_manifest_path(path) is None


def change(field: str, value: Any) -> bytes:
    content = json.loads(write_manifest(make_manifest()))
    target = content
    *folders, last = field.split(".")
    for folder in folders:
        target = target[int(folder) if folder.isdigit() else folder]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("format", True),
        ("source", "facebook"),
        ("account", "demo-43"),
        ("account", 42),
        ("date", "2024-03-32"),
        ("date", "20240305"),
        ("date", "9999-12-31"),
        ("generation", -1),
        ("generation", 1.0),
        ("generation", 10**12),
        ("delivered_at", "2024-03-06T00:00:00Z"),
        ("currency", "EUR"),
        ("seed", 43),
        ("seed", -42),
        ("seed", "42"),
        ("locale", None),
        ("rows", 21),
        ("rows", "20"),
        ("files", {}),
        ("files", [1]),
        ("files.0.name", "../demo-42-00000-abababababababab.parquet"),
        ("files.0.rows", 0),
        ("files.0.size", -1),
        ("files.0.size", None),
        ("files.0.sha256", "AB" * 32),
        ("files.0.sha256", "ab"),
        ("files.1.name", "demo-42-00000-abababababababab.parquet"),
        ("files.0.extra", 1),
        ("extra", 1),
        ("locale", ...),
        ("files.0.rows", ...),
    ],
)
def test_a_changed_field_is_refused_with_the_path(field: str, value: Any) -> None:
    with pytest.raises(LakeError, match=r"^raw/x is not a manifest .* expected .* got ") as refused:
        read_manifest(change(field, value), path="raw/x")

    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        write_manifest(make_manifest())[:-2],
        write_manifest(make_manifest())[:-1],
        write_manifest(make_manifest()) + b"\n",
        write_manifest(make_manifest()).replace(b"{", b'{ "seed": 42,', 1),
    ],
)
def test_broken_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(LakeError):
        read_manifest(data)


@given(st.data())
def test_any_flipped_byte_is_noticed_or_harmless(data: st.DataObject) -> None:
    good = write_manifest(make_manifest())
    place = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[place] = data.draw(st.integers(0, 255))

    try:
        read = read_manifest(bytes(bad))
    except LakeError:
        return
    # What reads must say so itself: only the row counts, sizes, locale and like are free.
    assert write_manifest(read) == bytes(bad)


def test_a_manifest_at_another_days_path_is_refused() -> None:
    data = write_manifest(make_manifest())
    right = manifest_path(day=date(2024, 3, 5), account="demo-42", generation=1)
    wrong = manifest_path(day=date(2024, 3, 6), account="demo-42", generation=1)

    assert read_manifest(data, path=right) == make_manifest()
    with pytest.raises(LakeError, match=re.escape(wrong)):
        read_manifest(data, path=wrong)


def test_the_module_needs_no_numpy_and_no_faker() -> None:
    code = (
        "import sys; sys.modules['numpy'] = sys.modules['faker'] = None; import pipeline.manifest"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
