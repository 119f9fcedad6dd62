"""The report's charts as Vega-Lite specifications without data; pure.

The page's script adds the rows: `name`, `value`, `label` (the value as it is written) and `tip`,
and the height where it depends on how many there are.
Colours are the style sheet's variables, so that a chart follows the page into the dark and onto
paper. Every chart has its figures as a table beside it, so its marks are not read out.
"""

from typing import Any, Final

Spec = dict[str, Any]

ROW_HEIGHT: Final = 44
"""Of charts with a bar a row."""

TIME_HEIGHT: Final = 170
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_CONFIG: Final[Spec] = {
    "aria": False,
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "domainColor": "var(--line)",
        "gridColor": "var(--line)",
        "labelColor": "var(--muted)",
        "labelFontSize": 12,
        "tickColor": "var(--line)",
        "title": None,
    },
    "text": {"fontSize": 13, "fill": "var(--ink)"},
}


def make_charts() -> dict[str, Spec]:
    """The specifications by the name of their place in the page."""
    return {
        "spend_over_time": _draw_over_time({"type": "bar", "color": "var(--spend)"}),
        "roas_over_time": _draw_over_time(
            {
                "type": "line",
                "color": "var(--roas)",
                "strokeWidth": 2,
                "point": {"filled": True, "fill": "var(--roas)", "size": 26},
            }
        ),
        "platform_spend": _draw_rows("var(--spend)"),
        "platform_roas": _draw_rows("var(--roas)"),
        "target_audience_spend": _draw_rows("var(--spend)"),
        "target_audience_roas": _draw_rows("var(--roas)"),
        "funnel": _draw_rows("var(--spend)", scale="symlog"),
    }


def _draw_over_time(mark: Spec) -> Spec:
    """One figure a day, week or month; all of them stand on the axis, also those without one."""
    return {
        "config": _CONFIG,
        "width": "container",
        "height": TIME_HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "mark": mark,
        "encoding": {
            "x": {
                "field": "name",
                "type": "ordinal",
                "sort": None,
                "axis": {
                    "grid": False,
                    "labelAngle": 0,
                    "labelOverlap": "greedy",
                    "labelPadding": 6,
                    "labelSeparation": 12,
                    "ticks": False,
                },
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "axis": {
                    "domain": False,
                    "format": "~s",
                    "labelExpr": "datum.value ? datum.label : '0'",
                    "minExtent": 40,
                    "maxExtent": 40,
                    "tickCount": 4,
                    "ticks": False,
                },
            },
            "tooltip": _write("tip"),
        },
    }


def _draw_rows(color: str, *, scale: str = "linear") -> Spec:
    """A bar a row below its name and its figure, which leaves room for long names on a phone."""
    tip = {"tooltip": _write("tip")}
    row = {"type": "bar", "cornerRadius": 3, "height": 10, "yOffset": 8}
    length = {
        "field": "value",
        "type": "quantitative",
        "axis": None,
        "scale": {"type": scale, "zero": True, "nice": False},
    }
    name = {"type": "text", "align": "left", "dy": -8, "limit": 190}
    figure = {"type": "text", "align": "right", "dy": -8, "fontWeight": 600}
    return {
        "config": _CONFIG,
        "width": "container",
        "encoding": {
            "y": {
                "field": "place",
                "type": "ordinal",
                "axis": None,
                "scale": {"paddingInner": 0, "paddingOuter": 0},
            }
        },
        "layer": [
            {
                "mark": {**row, "color": "var(--track)"},
                "encoding": {"x": {"value": 0}, "x2": {"value": "width"}},
            },
            {"mark": {**row, "color": color}, "encoding": {"x": length, **tip}},
            {"mark": name, "encoding": {"x": {"value": 0}, "text": _write("name"), **tip}},
            {"mark": figure, "encoding": {"x": {"value": "width"}, "text": _write("label"), **tip}},
        ],
    }


def _write(field: str) -> Spec:
    return {"field": field, "type": "nominal"}
