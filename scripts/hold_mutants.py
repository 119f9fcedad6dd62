"""Ends with 1 where tests see too few of the changes to the rules: `make mutants`.

Reads what `mutmut results --all true` prints, a line `name: status` for each change, and holds the
share that tests saw (`killed`) of each package to `LEAST`. One whose tests ran out of time was not
seen: they may only have been slow.
"""

import sys
from collections import Counter, defaultdict
from typing import Final

LEAST: Final = 0.85
HELD: Final = ("validate", "merge", "kpi")


def main() -> None:
    """Prints the changes that were not seen, and the share of those that were."""
    seen: dict[str, Counter[bool]] = defaultdict(Counter)
    for line in sys.stdin:
        name, found, status = line.strip().partition(": ")
        if not found:
            continue
        _, package, _ = name.split(".", 2)
        seen[package][status == "killed"] += 1
        if status != "killed":
            print(f"{status}: {name}")
    for package in HELD:
        print(f"{package}: {seen[package][True]:,} of {seen[package].total():,} changes were seen")
    if low := [one for one in HELD if seen[one][True] < LEAST * max(1, seen[one].total())]:
        sys.exit(f"below {LEAST:.0%}: {', '.join(low)}")


if __name__ == "__main__":
    main()
