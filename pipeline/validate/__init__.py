"""Accepts rows or rejects them with a reason. Pure: frames in, frames and faults out.

rows      judges rows by a contract
rules     the rules of typed rows
cast      casts a column of text exactly
parts     casts one that a file holds in several parts
notation  how a dialect writes numbers
order     whether dates have day and month the other way round
judge     what one cell means: the truth that casts must agree with
flags     counts what is worth a look
totals    sums up rows of text
coverage  which dates rows speak for
"""

from pipeline.validate.rows import Verdict, validate_texts, validate_typed
from pipeline.validate.totals import sum_up

__all__ = ["Verdict", "sum_up", "validate_texts", "validate_typed"]
