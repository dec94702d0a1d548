"""The page that `inspect --html` writes: verdicts above aligned pictures of every measure, nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from nnctl.cli.render.multiples import SHARES, Mark, Point, decades, panel
from nnctl.cli.render.numbers import measure
from nnctl.cli.render.signals import ONLY_START, different_data
from nnctl.diagnosis.judging.fixes import as_arguments

if TYPE_CHECKING:
    from nnctl.diagnosis.result import InspectResult

_SIZES = (
    ("signal: root mean square of each layer's output", "forward_rms"),
    ("error: root mean square of δ at each layer's output", "delta_rms"),
    ("gradient / weight", "grad_weight_ratio"),
    ("step / weight", "update_ratio"),
)
_SHARES = (
    ("dead units", "dead"),
    ("saturated values", "saturated"),
    ("alike: mean cosine between outputs for different inputs", "cosine"),
)
_PREDICTED = {"forward_rms": "forward_spread", "delta_rms": "delta_spread"}
_STYLE = """
body{font:14px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;color:#1f2937;background:#fff;margin:24px auto;
max-width:1200px;padding:0 16px}
h1{font-size:18px;margin:0 0 4px}h2{font-size:14px;margin:12px 0 0}.soft{color:#6b7280}
.nets{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:8px 32px}
svg{width:100%;height:auto;display:block}
.verdict{border-left:4px solid;padding:2px 0 2px 12px;margin:12px 0}
.fail{border-color:#dc2626}.warn{border-color:#d97706}
.ok{color:#059669}.is-warn{color:#d97706}.is-fail{color:#dc2626}
pre{background:#f3f4f6;padding:6px 10px;margin:4px 0;white-space:pre-wrap}
table{border-collapse:collapse}td{padding:2px 12px 2px 0;vertical-align:top}
"""


def signals_page(found: Mapping[str, InspectResult]) -> str:
    """Return the page of one network, or of several side by side, drawn on the same decades."""
    # verdicts have a row of their own, so that charts side by side stay level whatever there is to say
    tops = "".join(f"<div>{_header(name, result)}{_verdicts(result)}</div>" for name, result in found.items())
    columns = [[f"<h2>{escape(name)}</h2>"] if len(found) > 1 else [] for name in found]
    last = [max(len(result.layers) - 1, 1) for result in found.values()]
    for number, (title, attribute) in enumerate((*_SIZES, *_SHARES)):
        panels = [_points(result, attribute) for result in found.values()]
        if not any(panels):
            continue
        scale = decades(panels) if number < len(_SIZES) else SHARES
        for column, points, result, end in zip(columns, panels, found.values(), last, strict=True):
            column.append(panel(title, points, _marks(result), scale, end))
    body = "".join(f"<section>{''.join(column)}</section>" for column in columns)
    title = " and ".join(found)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>inspect {escape(title)}</title><style>{_STYLE}</style></head><body>{_differing(found)}"
        f'<div class="nets">{tops}</div><div class="nets">{body}</div>'
        '<p class="soft">First layer to the left. Yellow: what mean-field theory expects, ±2 deviations of a network '
        "of this width. Upright lines: verdicts. Point at a dot for its layer and numbers.</p></body></html>\n"
    )


def _header(name: str, result: InspectResult) -> str:
    when = escape(result.when)
    only = f"<br>{ONLY_START}" if result.at_start and result.rate_share is not None else ""
    word = "ok" if result.verdict == "ok" else f"is-{result.verdict}"
    return (
        f'<h1>{escape(name)} <span class="{word}">{result.verdict}</span></h1>'
        f'<p class="soft">{when}, {result.batch} samples of {escape(result.data)}, loss {measure(result.loss)}; '
        f"activity of {result.samples} inputs{only}</p>"
    )


def _differing(found: Mapping[str, InspectResult]) -> str:
    note = different_data(found)
    return "" if note is None else f'<p class="verdict warn"><b>Different data.</b> {escape(note)}</p>'


def _points(result: InspectResult, attribute: str) -> Sequence[Point]:
    points = []
    for number, layer in enumerate(result.layers):
        value = getattr(layer, attribute)
        if value is None:
            continue
        expected, spread = None, 0.0
        if attribute in _PREDICTED and layer.prediction is not None:
            expected = getattr(layer.prediction, attribute)
            spread = getattr(layer.prediction, _PREDICTED[attribute]) or 0.0
        points.append(Point(number, value, layer.path, expected, spread))
    return points


def _marks(result: InspectResult) -> list[Mark]:
    numbers = {layer.path: number for number, layer in enumerate(result.layers)}
    return [
        Mark(numbers[verdict.path], verdict.severity, f"{verdict.code} at {verdict.path}")
        for verdict in result.verdicts
    ]


def _verdicts(result: InspectResult) -> str:
    parts = []
    for verdict in result.verdicts:
        value = "" if verdict.value is None else f" is {measure(verdict.value)}, bound {measure(verdict.threshold)}"
        predicted = "" if verdict.predicted is None else f", predicted {measure(verdict.predicted)}"
        fix = "" if verdict.fix is None else f"<pre>{escape(as_arguments(verdict.fix))}</pre>"
        tried = (
            "Inspected with this change, the verdict is gone:" if verdict.tried else "The likeliest change, not tried:"
        )
        parts.append(
            f'<div class="verdict {verdict.severity}"><b>{verdict.code}</b> at {escape(verdict.path)}'
            f"{f', line {verdict.line}' if verdict.line else ''}<br>{escape(verdict.what)}{value}{predicted}.<br>"
            f"{escape(verdict.cause)}.{f'<br>{tried}' if fix else ''}{fix}</div>"
        )
    rows = "".join(
        f'<tr><td class="{"ok" if check.ok else "is-fail"}">{"ok" if check.ok else "fail"}</td>'
        f"<td>{escape(check.check)}</td><td>{measure(check.value)}</td><td>{escape(check.expected)}</td>"
        f"<td>{escape(check.cause or '')}</td></tr>"
        for check in result.preflight or ()
    )
    return "".join(parts) + (f"<table>{rows}</table>" if rows else "")
