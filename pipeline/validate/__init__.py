"""Accepts rows or rejects them with a reason. Pure: frames in, frames and faults out."""

from pipeline.validate.rows import Verdict, validate_texts, validate_typed
from pipeline.validate.totals import sum_up

__all__ = ["Verdict", "sum_up", "validate_texts", "validate_typed"]
