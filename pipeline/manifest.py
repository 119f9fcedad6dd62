"""shim"""
from dataclasses import dataclass
from datetime import date, datetime
RAW = "raw/ad_day"
@dataclass(frozen=True)
class Manifest:
    source: str; account: str; date: date; delivered_at: datetime; files: tuple
def parse_manifest_path(path): return None
def read_manifest(data): ...
def manifest_name(m): ...
def part_path(m, f): ...
