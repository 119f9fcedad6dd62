"""The map of the code names what there is, and can be read in ten minutes."""

import ast
import re
from pathlib import Path

import pytest

from tests.docs.documents import ROOT, list_codes, read_document, read_table

PACKAGE = ROOT / "pipeline"
FOLDERS = sorted(path.parent for path in PACKAGE.glob("*/**/__init__.py"))
MOST_WORDS = 2_500


def list_modules(folder: Path) -> set[str]:
    """The modules and packages of a folder."""
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    return modules | {path.parent.name for path in folder.glob("*/__init__.py")}


def test_the_map_names_every_module_and_folder_of_the_package() -> None:
    rows = read_table("ARCHITECTURE.md", "## Modules")
    named = [code for row in rows for code in list_codes(row[0])]
    found = {Path(code).stem for code in named if code.startswith("pipeline/")}
    assert found == list_modules(PACKAGE)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_each_folder_lists_its_modules_in_its_docstring(folder: Path) -> None:
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    listed = re.findall(r"^(\w+)  +\S", text, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == list_modules(folder)


def test_the_architecture_is_read_in_ten_minutes() -> None:
    text = re.sub(r"```.*?```", "", read_document("ARCHITECTURE.md"), flags=re.DOTALL)
    assert len(re.findall(r"\w[\w.']*", text)) <= MOST_WORDS
