"""Accepts rows or rejects them with a reason. Pure: frames in, frames and faults out."""

from pipeline.validate.rows import Verdict, validate_texts, validate_typed

__all__ = ["Verdict", "validate_texts", "validate_typed"]
