"""The README's tour works, in both languages, and it shows what the main job prints."""

import pytest

from tests.docs.documents import list_blocks, list_codes, list_links, read_document
from tests.docs.reader import Reader, assert_looks_like


@pytest.mark.slow
def test_the_tour_can_be_followed(reader: Reader) -> None:
    reader.follow("README.md")


def test_the_spanish_readme_shows_the_same_commands_files_and_outputs() -> None:
    assert list_blocks("README.es.md") == list_blocks("README.md")


def test_the_spanish_readme_has_the_same_parts_tables_and_links() -> None:
    english, spanish = (read_document(name).splitlines() for name in ("README.md", "README.es.md"))
    for begin in ("## ", "- ", "| "):
        parts = [[line for line in text if line.startswith(begin)] for text in (english, spanish)]
        assert len(parts[0]) == len(parts[1])
    tables = ([line for line in text if line.startswith("| ")] for text in (english, spanish))
    for row, other in zip(*tables, strict=True):
        assert [*map(list_codes, row.split("|"))] == [*map(list_codes, other.split("|"))]
    links = {"README.md", "README.es.md"}
    assert {*list_links("README.md")} - links <= {*list_links("README.es.md")}


@pytest.mark.slow
def test_the_readme_shows_the_whole_output_of_the_main_job(reader: Reader) -> None:
    [block] = [block for block in list_blocks("README.md") if block.role == "output"]

    code, output = reader.run(block.about)

    assert code == 0
    assert_looks_like(output, block.text)
