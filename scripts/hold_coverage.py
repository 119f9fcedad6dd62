"""Ends with 1 where tests leave out too much of what decides: `make coverage`.

The branches of each package with the rules of figures are held to `LEAST`, each package apart, so
that none hides behind another; and the lines and branches of all modules that the contract `pure`
of import-linter names, together.
"""

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

LEAST: Final = 0.95
HELD: Final = ("pipeline.validate", "pipeline.merge", "pipeline.kpi")
PROJECT: Final = Path(__file__).parents[1] / "pyproject.toml"

_COUNTS: Final = {
    "branches": ("num_branches", "covered_branches"),
    "lines": ("num_statements", "covered_lines"),
}

Files = Mapping[str, Mapping[str, Any]]


def main() -> None:
    """Prints the shares, and what is left out of each module that is held."""
    files: Files = json.loads(Path(sys.argv[1]).read_bytes())["files"]
    contracts = tomllib.loads(PROJECT.read_text())["tool"]["importlinter"]["contracts"]
    [pure] = [one["source_modules"] for one in contracts if one["id"] == "pure"]
    shares = {f"branches of {one}": _share(_pick(files, [one]), "branches") for one in HELD}
    shares["lines and branches of pure modules"] = _share(_pick(files, pure), "lines", "branches")
    for path, file in sorted(_pick(files, [*HELD, *pure]).items()):
        left = [str(line) for line in file["missing_lines"]]
        left += [f"{start}->{end}" for start, end in file["missing_branches"]]
        if left:
            print(f"{path} leaves out {', '.join(left)}")
    for name, share in shares.items():
        print(f"{name}: {share:.1%}")
    if low := [name for name, share in shares.items() if share < LEAST]:
        sys.exit(f"below {LEAST:.0%}: {', '.join(low)}")


def _pick(files: Files, modules: Iterable[str]) -> Files:
    """The files of modules and of what lies below them; each module must have some."""
    picked: dict[str, Mapping[str, Any]] = {}
    for module in modules:
        path = module.replace(".", "/")
        own = {
            name: file
            for name, file in files.items()
            if name.startswith((f"{path}/", f"{path}.py"))
        }
        if not own:
            sys.exit(f"{module} is in no file that was measured")
        picked |= own
    return picked


def _share(files: Files, *kinds: str) -> float:
    """Of what there is of some kinds in all files together, which part ran."""
    ran = there = 0
    for file in files.values():
        for kind in kinds:
            all_of_kind, covered = _COUNTS[kind]
            there += file["summary"][all_of_kind]
            ran += file["summary"][covered]
    return ran / there


if __name__ == "__main__":
    main()
