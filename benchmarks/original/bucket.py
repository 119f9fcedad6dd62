"""Where the original's scripts keep their files: a folder, or a bucket by plain requests."""

import os
from pathlib import Path
from typing import Protocol


class Place(Protocol):
    """A place for files."""

    def list(self) -> list[str]:
        """The names of the lots, sorted."""

    def read(self, name: str) -> bytes:
        """The bytes of a file."""

    def write(self, name: str, data: bytes) -> None:
        """Writes a file."""


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def list(self) -> list[str]:
        """As `Place` says."""
        return sorted(path.name for path in self.path.glob("marketing_data_*.csv"))

    def read(self, name: str) -> bytes:
        """As `Place` says."""
        return (self.path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """As `Place` says."""
        (self.path / name).write_bytes(data)


class Bucket:
    """A bucket, as boto3 would reach it."""

    def __init__(self, uri: str) -> None:
        import botocore.session  # noqa: PLC0415 - in a folder, nobody would import it

        self.bucket, _, self.prefix = uri.removeprefix("s3://").partition("/")
        self.client = botocore.session.get_session().create_client(
            "s3", region_name=os.environ.get("AWS_REGION")
        )

    def list(self) -> list[str]:
        """As `Place` says."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.prefix}/marketing_data_"
        )
        keys = [str(entry["Key"]) for page in pages for entry in page.get("Contents", ())]
        return sorted(key.rpartition("/")[2] for key in keys)

    def read(self, name: str) -> bytes:
        """As `Place` says."""
        answer = self.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")
        data: bytes = answer["Body"].read()
        return data

    def write(self, name: str, data: bytes) -> None:
        """As `Place` says."""
        self.client.put_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}", Body=data)


def open_place(name: str) -> Place:
    """The bucket that is named `s3://bucket/prefix`, or else the folder."""
    return Bucket(name) if name.startswith("s3://") else Folder(Path(name))
