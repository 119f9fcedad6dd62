"""What made each version."""

from pathlib import Path

import pytest

from pipeline.lake import LEDGER_TABLE
from pipeline.steps.history import read_history
from tests.lakes import build_lake, commit_rows, make_ledger_row, make_row


def test_each_merge_names_the_sources_and_the_first_file_that_it_decided_on(
    tmp_path: Path,
) -> None:
    files = [
        make_ledger_row(path=f"landing/{source}/{name}.csv", source=source)
        for source, name in (("meta", "b"), ("ads", "z"), ("meta", "a"))
    ]
    lake = build_lake(tmp_path, [make_row()], ledger=files)
    commit_rows(lake, [make_row(campaign_id="c2")], ledger=[make_ledger_row()])
    commit_rows(lake, [make_row(campaign_id="c3")])

    rows = read_history(lake).to_dicts()

    assert [(row["version"], row["sources"], row["first_file"]) for row in rows] == [
        (3, None, None),
        (2, "lots", "landing/lots/a.csv"),
        (1, "ads, meta", "landing/ads/z.csv"),
        (0, None, None),
    ]


def test_the_versions_are_told_of_a_lake_without_a_ledger(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake = build_lake(tmp_path, [make_row()], ledger=[make_ledger_row()])
    Path(lake.uri, LEDGER_TABLE).rename(tmp_path / "lost")

    assert [row[0] for row in read_history(lake).rows] == [1, 0]
    assert [record.getMessage()[:20] for record in caplog.records] == ["no files are named: "]
