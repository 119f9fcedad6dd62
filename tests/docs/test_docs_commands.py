"""What the references show can be done as shown."""

import re

import pytest

from tests.docs.documents import DOCUMENTS, RUNNABLE, list_blocks
from tests.docs.reader import Reader, is_step

SESSIONS = [
    name for name in DOCUMENTS if name.startswith("docs/") and any(map(is_step, list_blocks(name)))
]
IN_A_CHECKOUT = {"docs/adding.md"}
"""What changes the program itself, and then runs its tests: slow."""

IN_A_BUCKET = {"docs/s3.md"}
"""What needs a store: the tests' own, by the variables that its `AWS_PROFILE` would say."""

WITH_PANDAS = {"docs/interop.md"}
"""What shows how pandas reads a lake."""


PROGRAMS = re.compile(r"(adlake|airflow|dask|duckdb|export|make|pip|python) ")
NOT_RUN = {
    "README.md": {
        "make s3": "tests/docs/test_make.py does it, on ports that are free",
        "make run-s3": "likewise, with fewer rows",
        "make airflow": "tests/airflow/test_local_airflow.py starts what it starts",
    },
    "docs/airflow.md": {
        "make airflow": "tests/airflow/test_local_airflow.py starts what it starts",
        "airflow connections add adlake_alert": "tests/airflow/test_alerts.py sends the alerts",
    },
    "docs/scale.md": {
        "pip install": "tests/test_wheel.py installs the wheel; Dask comes from an index",
        "export ": "the machines are not there; tests/cluster has workers of its own",
        "adlake run": "likewise",
        "dask scheduler": "likewise",
        "dask worker": "likewise",
    },
}
"""How commands begin that stand in blocks of text, and why no test runs them as they stand."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SESSIONS)
def test_what_a_document_shows_can_be_done_as_shown(
    name: str, reader: Reader, request: pytest.FixtureRequest
) -> None:
    if name in IN_A_CHECKOUT:
        reader.check_out()
    if name in IN_A_BUCKET:
        reader.environ |= request.getfixturevalue("s3_server").describe()
    if name in WITH_PANDAS:
        reader.install_pandas()
    reader.follow(name)


@pytest.mark.parametrize("name", ["README.md", *SESSIONS])
def test_no_code_is_shown_in_a_language_that_nobody_runs(name: str) -> None:
    shown = {block.language for block in list_blocks(name) if not block.role}
    assert shown <= RUNNABLE | {"python", "text"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_that_nobody_runs_are_excused(name: str) -> None:
    excused = NOT_RUN.get(name.replace(".es.md", ".md"), {})
    found = [
        next((begin for begin in excused if line.startswith(begin)), line)
        for block in list_blocks(name)
        if block.language in {"", "text"} and not block.role
        for line in block.text.splitlines()
        if PROGRAMS.match(line)
    ]
    assert set(found) == set(excused)
