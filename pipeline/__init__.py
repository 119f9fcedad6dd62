"""adlake: a small lakehouse for advertising performance data.

The data flows one way: deliveries are read by their contract, every row is accepted or
quarantined with a reason, a pure plan says which master files to add and remove, and one Delta
commit makes it true together with the account of the files it came from.
"""

__version__ = "0.1.0"
