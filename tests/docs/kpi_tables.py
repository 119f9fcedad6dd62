"""The tables of docs/kpis.md that are made from the statements."""

from pipeline.kpi.catalogue import describe_kpis, list_definitions
from tests.docs.documents import write_table


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
