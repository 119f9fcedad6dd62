"""What others need to read the master: a protocol and types that every engine knows."""

import json
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.generate.request import GenerateRequest
from pipeline.generate.write import generate_days
from pipeline.lake import Lake
from pipeline.settings import Settings
from pipeline.steps.merge import merge
from pipeline.storage import open_storage

REQUEST = GenerateRequest(start=date(2024, 1, 1), end=date(2024, 1, 2), seed=7, rows=100)
TYPES = {
    ("BYTE_ARRAY", "String"),
    ("INT32", "Date"),
    ("INT64", "None"),
    ("INT64", "Decimal"),
    ("INT64", "Timestamp"),
}
"""Physical and logical; none of Arrow's own, such as views of strings."""


def test_the_master_has_a_protocol_and_types_that_every_engine_reads(tmp_path: Path) -> None:
    lake = Lake(open_storage(str(tmp_path / "lake")))
    generate_days(lake, REQUEST, today=date(2025, 1, 1))
    merge(lake, settings=Settings())
    log = tmp_path / "lake/master/_delta_log/00000000000000000000.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    [protocol] = [one["protocol"] for one in actions if "protocol" in one]
    assert protocol == {"minReaderVersion": 1, "minWriterVersion": 2}
    for file in lake.fetch(lake.take_snapshot().file_uris):
        schema = pq.ParquetFile(file).schema
        columns = [schema.column(number) for number in range(len(schema))]
        found = {(one.physical_type, str(one.logical_type).partition("(")[0]) for one in columns}
        assert found == TYPES
