"""Writes the report as one HTML file that needs no network and runs no script but its own.

Its policy names each script and style by hash, and the template escapes every text, so that what
stands in the data stays text.
"""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2

from pipeline.report.content import DASH
from pipeline.report.measures import MEASURES
from pipeline.report.page import Page

_ASSETS: Final = Path(__file__).with_name("assets")
_TEMPLATE: Final = "report.html.jinja"
_STYLE: Final = "report.css"
_VEGA: Final = "vega.js"
_SCRIPTS: Final = ("figures.js", "charts.js", "page.js", "filters.js")
_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def render_html(page: Page) -> bytes:
    """The file; the same page gives the same bytes."""
    style = _read(_STYLE)
    scripts = [_read(_VEGA), "".join(map(_read, _SCRIPTS))]
    text = _find_template().render(
        page=page,
        words=page.language.words,
        names={key: page.language.name(key) for key in MEASURES},
        dash_text=DASH,
        policy=_write_policy(style, scripts),
        style=style,
        scripts=scripts,
        data=_write_data(page.data),
    )
    return text.encode()


def _write_policy(style: str, scripts: list[str]) -> str:
    sources = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {sources}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _write_data(data: dict[str, Any]) -> str:
    """JSON in which nothing ends or opens an element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


@cache
def _read(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


@cache
def _find_template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(_ASSETS),
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(_TEMPLATE)
