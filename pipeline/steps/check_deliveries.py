"""Checks what was delivered and generated against what the ledger and the manifests say of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.care.finding import Finding
from pipeline.engine import map_threads
from pipeline.errors import LakeError, MissingError
from pipeline.lake import RAW, Lake
from pipeline.manifest import day_folder, parse_manifest_path, read_manifest
from pipeline.merge.delivery import pick_judged
from pipeline.merge.place import spell_path
from pipeline.steps.check_files import Expected, check_files
from pipeline.steps.discover import list_entries
from pipeline.storage import Entry


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What a check of the deliveries found.

    Attributes:
        findings: What is wrong.
        checked: How many files of each folder were checked.
        gone: How many delivered files that count are not there any more, or were replaced.
    """

    findings: Sequence[Finding]
    checked: Mapping[str, int]
    gone: int


def check_deliveries(lake: Lake, ledger: pl.DataFrame, *, workers: int) -> Deliveries:
    """Reads again all delivered files that were merged, and all generated days.

    A generated file never changes. A delivered one is its owner's, who may replace or delete it;
    where its time of writing is the same and its bytes are not, it is damaged.
    """
    present = {spell_path(entry.path): entry for entry in list_entries(lake)}
    merged = pick_judged(ledger).filter(pl.col("outcome").is_in(["merged", "no_rows"]))
    days, gone = _check_days(lake, merged, workers=workers)
    delivered = merged.filter(~pl.col("path").str.starts_with(f"{RAW}/"))
    digests = dict(_digest(lake, delivered, present, workers=workers))
    findings = list(days.findings)
    for row in delivered.iter_rows(named=True):
        path = row["path"]
        if digests.get(path) == row["sha256"]:
            continue
        gone += 1
        if path in digests and present[path][1:4] == (row["size"], row["etag"], row["modified_at"]):
            findings.append(
                Finding(path, "its bytes are not those that were merged, and nobody wrote to it")
            )
    return Deliveries(findings, {**days.checked, "landing": len(digests)}, gone)


def _digest(
    lake: Lake, rows: pl.DataFrame, present: Mapping[str, Entry], *, workers: int
) -> Iterator[tuple[str, str | None]]:
    paths = [path for path in rows["path"].unique().sort() if path in present]

    def digest(path: str) -> str | None:
        try:
            return lake.storage.digest(present[path].path)
        except MissingError:
            return None

    return zip(paths, map_threads(digest, paths, workers=workers), strict=True)


def _check_days(lake: Lake, merged: pl.DataFrame, *, workers: int) -> tuple[Deliveries, int]:
    """Checks the manifests that were merged and the data files that any manifest names."""
    present = {entry.path: entry for entry in lake.storage.list(RAW)}
    known = merged.filter(pl.col("path").str.starts_with(f"{RAW}/"))
    sha256 = dict(known.select("path", "sha256").iter_rows())
    manifests = [path for path in present if parse_manifest_path(path)]
    wanted = [Expected(path, sha256=sha256.get(path)) for path in manifests if path in sha256]
    findings = check_files(lake, wanted, present, workers=workers)
    damaged = {finding.path for finding in findings}
    data: list[Expected] = []
    for path in manifests:
        if path in damaged:
            continue
        try:
            manifest = read_manifest(lake.storage.read(path), path=path)
        except LakeError as error:
            findings.append(Finding(path, str(error).removeprefix(f"{path} ")))
            continue
        folder = day_folder(manifest.date)
        data += [Expected(f"{folder}/{one.name}", one.size, one.sha256) for one in manifest.files]
    files = sorted(set(data), key=lambda file: file.path)
    findings += check_files(lake, files, present, workers=workers)
    gone = len(sha256.keys() - present.keys())
    return Deliveries(findings, {"raw": len(manifests) + len(files)}, gone), gone
