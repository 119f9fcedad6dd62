"""Contracts: what a source's files look like and what a delivery of them means.

A contract is one TOML file. It declares, it never sniffs. The shipped ones stand in this folder;
docs/contracts.md says what each field means.

model    the contract as the code sees it
load     reads contracts from TOML
section  one table of such a file
check    what is wrong together
dates    the forms of dates
"""

from pipeline.contracts.load import load_contracts
from pipeline.contracts.model import Column, Contract, Dates, Dialect, Headers, Holds

__all__ = ["Column", "Contract", "Dates", "Dialect", "Headers", "Holds", "load_contracts"]
