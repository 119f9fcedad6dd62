"""What a file is by its first bytes, and gzip."""

import gzip
import io
import tarfile
import zlib
from pathlib import Path

import pytest

from pipeline.errors import BadFileError
from pipeline.read.open import MIN_INFLATED_LIMIT, open_delivery
from tests.lots import HEADER, make_line
from tests.read.exports import make_contract, read

TEXT = f"{HEADER}\n{make_line()}\n".encode()
GZIP = gzip.compress(TEXT, mtime=0)


def save(folder: Path, data: bytes, name: str = "lot.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def make_tar() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("lot.csv"))
    return sink.getvalue()


@pytest.mark.parametrize("name", ["lot.csv.gz", "lot.csv", "lot"])
@pytest.mark.parametrize("data", [GZIP, GZIP + GZIP, GZIP + gzip.compress(b"", mtime=0)])
def test_gzip_is_inflated_whatever_its_name_and_members(
    name: str, data: bytes, tmp_path: Path
) -> None:
    opened = open_delivery(save(tmp_path, data, name), tmp_path)
    assert opened.format == "csv"
    assert opened.path.read_bytes() == gzip.decompress(data)


@pytest.mark.parametrize(
    ("data", "name", "rule"),
    [
        (GZIP[:-1], "lot.csv.gz", "corrupt_gzip"),
        (GZIP[:-9], "lot.csv.gz", "corrupt_gzip"),
        (GZIP[:-8] + b"\0\0\0\0" + GZIP[-4:], "lot.csv.gz", "corrupt_gzip"),
        (GZIP + b"rest", "lot.csv.gz", "corrupt_gzip"),
        (GZIP + b"\x1f\x8b", "lot.csv.gz", "corrupt_gzip"),
        (gzip.compress(GZIP, mtime=0), "lot.csv.gz", "compressed"),
        (gzip.compress(b"PAR1rest", mtime=0), "lot.parquet", "not_parquet"),
        (gzip.compress(b"PAR1rest", mtime=0), "lot.csv.gz", "not_parquet"),
        (GZIP, "lot.parquet", "not_parquet"),
        (TEXT, "lot.parquet", "not_parquet"),
        (b"", "LOT.PARQUET", "not_parquet"),
        (b"PAR1rest", "lot.csv", "not_csv"),
        (b"PK\x03\x04rest", "lot.xlsx", "archive"),
        (make_tar(), "lot.csv", "archive"),
        (gzip.compress(make_tar(), mtime=0), "lot.tar.gz", "archive"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_bytes(
    data: bytes, name: str, rule: str, tmp_path: Path
) -> None:
    with pytest.raises(BadFileError) as caught:
        open_delivery(save(tmp_path, data, name), tmp_path)
    assert caught.value.rule == rule


def test_a_bomb_is_inflated_to_one_byte_past_the_limit(tmp_path: Path) -> None:
    deflater = zlib.compressobj(wbits=31)
    zeros = bytes(1 << 20)
    data = b"".join(deflater.compress(zeros) for _ in range(64)) + deflater.flush()
    with pytest.raises(BadFileError) as caught:
        open_delivery(save(tmp_path, data), tmp_path)
    assert caught.value.rule == "too_large"
    assert (tmp_path / "inflated").stat().st_size == MIN_INFLATED_LIMIT + 1


def test_parquet_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    assert open_delivery(save(tmp_path, b"PAR1rest", "day"), tmp_path).format == "parquet"


def test_the_name_as_delivered_counts_where_it_is_given(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="PAR1"):
        open_delivery(save(tmp_path, TEXT), tmp_path, name="day.parquet")


def test_a_gzipped_export_reads_like_the_plain_one_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    text = "Campaña;Día;Coste (EUR)\nOtoño;02/01/2024;1,5\n".encode("utf-16")
    plain, packed = save(tmp_path, text), save(tmp_path, gzip.compress(text), "lot.csv.gz")
    before = sorted(tmp_path.iterdir())
    assert read(packed, make_contract()) == read(plain, make_contract())
    assert sorted(tmp_path.iterdir()) == before
