"""What the references show can be done as shown."""

import pytest

from tests.docs.documents import DOCUMENTS, RUNNABLE, list_blocks
from tests.docs.reader import Reader, is_step

SESSIONS = [
    name for name in DOCUMENTS if name.startswith("docs/") and any(map(is_step, list_blocks(name)))
]
IN_A_CHECKOUT = {"docs/adding.md"}
"""What changes the program itself."""

WITH_PANDAS = {"docs/interop.md"}
"""What shows how pandas reads a lake."""


@pytest.mark.parametrize("name", SESSIONS)
def test_what_a_document_shows_can_be_done_as_shown(name: str, reader: Reader) -> None:
    if name in IN_A_CHECKOUT:
        reader.check_out()
    if name in WITH_PANDAS:
        reader.install_pandas()
    reader.follow(name)


@pytest.mark.parametrize("name", ["README.md", *SESSIONS])
def test_no_code_is_shown_in_a_language_that_nobody_runs(name: str) -> None:
    shown = {block.language for block in list_blocks(name) if not block.role}
    assert shown <= RUNNABLE | {"python", "text"}
