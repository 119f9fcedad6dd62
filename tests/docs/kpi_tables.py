"""The tables of docs/kpis.md that are made from the statements; `make docs` writes them anew."""

import re

from pipeline.kpi.catalogue import describe_kpis, list_definitions
from tests.docs.documents import ROOT

KPIS = ROOT / "docs" / "kpis.md"


def make_tables() -> dict[str, str]:
    """Each table by its heading."""
    kpis = [
        f"| `{kpi.name}` | {kpi.purpose} | {kpi.grain} | "
        f"{', '.join(f'`{name}`' for name in kpi.params)} |"
        for kpi in describe_kpis()
    ]
    measures = [f"| `{one.name}` | {one.meaning} | {one.unit} |" for one in list_definitions()]
    return {
        "What there is": write_table("| KPI | what it answers | grain | filters |", kpis),
        "Columns": write_table("| name | definition | unit |", measures),
    }


def write_table(head: str, lines: list[str]) -> str:
    rule = "|" + "---|" * (head.count("|") - 1)
    return "\n".join([head, rule, *lines]) + "\n"


def renew(text: str) -> str:
    """The document with its made tables as they must be."""
    for heading, table in make_tables().items():
        pattern = rf"(?<=\n## {heading}\n\n)(?:\|.*\n)+"
        assert re.search(pattern, text), heading
        text = re.sub(pattern, lambda _, table=table: table, text)
    return text


if __name__ == "__main__":
    KPIS.write_text(renew(KPIS.read_text(encoding="utf-8")), encoding="utf-8")
