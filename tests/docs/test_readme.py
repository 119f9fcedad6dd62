"""The README's tour works, and it shows what the main job prints."""

import pytest

from tests.docs.documents import list_blocks
from tests.docs.reader import Reader, assert_looks_like


def test_the_tour_can_be_followed(reader: Reader) -> None:
    reader.follow("README.md")


@pytest.mark.slow
def test_the_readme_shows_the_whole_output_of_the_main_job(reader: Reader) -> None:
    [block] = [block for block in list_blocks("README.md") if block.role == "output"]

    code, output = reader.run(block.about)

    assert code == 0
    assert_looks_like(output, block.text)
