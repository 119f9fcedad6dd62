"""What documents point to is there, and they name nothing that a reader does not have."""

import re

import pytest

from tests.docs.documents import (
    DOCUMENTS,
    ROOT,
    list_anchors,
    list_blocks,
    list_links,
    read_document,
)

# A document stands alone: few pages outside are worth a link, and none is a package registry.
KNOWN_HOSTS = {"keepachangelog.com", "semver.org"}
PRIVATE = re.compile(r"(?<![\w.])/(?:home|mnt|opt|root|srv|tmp|usr)/|localhost|127\.0\.0\.1")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_relative_links_lead_somewhere(name: str) -> None:
    for link in list_links(name):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        path = (ROOT / name).parent / target if target else ROOT / name
        assert path.exists(), link
        if anchor:
            assert anchor in list_anchors(path.resolve().relative_to(ROOT).as_posix()), link


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_names_a_registry_or_a_place_of_one_machine(name: str) -> None:
    text = read_document(name)
    hosts = set(re.findall(r"https?://([^/\s)>\"'`]+)", text))
    assert hosts <= KNOWN_HOSTS
    assert "index-url" not in text
    assert not PRIVATE.findall(text)


def test_make_targets_in_documents_exist() -> None:
    targets = set(
        re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for name in DOCUMENTS:
        text = read_document(name)
        named = re.findall(r"(?:`|^)make ([a-z0-9-]+)", text, re.MULTILINE)
        assert set(named) <= targets, name
    assert {"run", "test"} <= targets


def test_test_paths_in_contributing_exist() -> None:
    blocks = [block.text for block in list_blocks("CONTRIBUTING.md")]
    paths = re.findall(r"\btests/[\w/.]+", "\n".join(blocks))
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path


def test_decision_records_have_a_number_each_and_their_parts() -> None:
    # Numbers are given out when a record is begun, so one that is not written leaves a gap.
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert len({*numbers}) == len(numbers)
    index = list_links("docs/adr/README.md")
    assert index == [path.name for path in records]
    for number, path in zip(numbers, records, strict=True):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. ")
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name
        assert len(text.splitlines()) <= 60, f"{path.name} is longer than a page"


def test_the_changelog_keeps_its_sections() -> None:
    text = read_document("CHANGELOG.md")
    assert re.search(r"^## \[0\.1\.0\]", text, re.MULTILINE)
    assert "\n### Changed numbers\n" in text
