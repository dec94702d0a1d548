"""The page that `inspect --html` writes: verdicts above aligned pictures of every measure, nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import inf, isfinite
from typing import TYPE_CHECKING

from nnctl.cli.render.multiples import SHARES, Mark, Point, decades, panel
from nnctl.cli.render.numbers import measure
from nnctl.cli.render.signals import ONLY_START, different_data
from nnctl.cli.render.spectra import told_jacobian
from nnctl.diagnosis.judging.fixes import as_arguments

if TYPE_CHECKING:
    from nnctl.diagnosis.result import InspectResult

_SIGNALS = (
    ("signal: root mean square of each layer's output", "forward_rms", decades(-3, 3)),
    ("error: root mean square of δ at each output, over the last hidden layer's", "delta_rms", decades(-6, 6)),
    ("gradient / weight", "grad_weight_ratio", decades(-6, 3)),
    ("step / weight", "update_ratio", decades(-6, 3)),
    ("dead units", "dead", SHARES),
    ("saturated values", "saturated", SHARES),
    ("alike: mean cosine between outputs for different inputs", "cosine", SHARES),
)
_SPECTRA = (
    ("largest singular value of the weights", "largest", decades(-3, 3)),
    ("smallest singular value", "smallest", decades(-6, 2)),
    ("condition number", "condition", decades(0, 6)),
    ("stable rank, of as many as there are singular values", "stable_rank", SHARES),
    ("effective rank, of as many as there are singular values", "effective_rank", SHARES),
)
_RANKS = frozenset({"stable_rank", "effective_rank"})
_PREDICTED = {"forward_rms": "forward_spread", "delta_rms": "delta_spread"}
_CAPTION = (
    "First layer to the left. Axes are the same on every page: signals from 1e-3 to 1e3, the error from 1e-6 to 1e6 of "
    "that at the last hidden layer, ratios from 1e-6 to 1e3; a triangle at an edge lies outside, the furthest says how "
    "far. Yellow: what mean-field theory expects, ±2 deviations of a network of this width. Upright lines: verdicts. "
    "Point at a dot for its layer and numbers."
)
_BESIDE = " Singular values: yellow is where 99 in 100 fresh draws of the layer's initialiser lie."
_STYLE = """
body{font:14px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;color:#1f2937;background:#fff;margin:24px auto;
max-width:1200px;padding:0 16px}
h1{font-size:18px;margin:0 0 4px}h2{font-size:14px;margin:12px 0 0}.soft{color:#6b7280}
.nets{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:0 32px}
.alone section{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:0 32px}
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
    for title, attribute, scale in (*_SIGNALS, *_SPECTRA):
        draw = _points if (title, attribute, scale) in _SIGNALS else _spectral_points
        panels = [draw(result, attribute) for result in found.values()]
        if not any(panels):
            continue
        for column, points, result, end in zip(columns, panels, found.values(), last, strict=True):
            column.append(panel(title, points, _marks(result), scale, end))
    body = "".join(f"<section>{''.join(column)}</section>" for column in columns)
    title = " and ".join(found)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>inspect {escape(title)}</title><style>{_STYLE}</style></head><body>{_differing(found)}"
        f'<div class="nets">{tops}</div><div class="{"nets" if len(found) > 1 else "alone"}">{body}</div>'
        f'<p class="soft">{_CAPTION}{_BESIDE if _has_spectra(found) else ""}</p></body></html>\n'
    )


def _header(name: str, result: InspectResult) -> str:
    when = escape(result.when)
    only = f"<br>{ONLY_START}" if result.at_start and result.rate_share is not None else ""
    word = "ok" if result.verdict == "ok" else f"is-{result.verdict}"
    jacobian = "" if result.jacobian is None else f"<br>{escape(told_jacobian(result.jacobian))}"
    return (
        f'<h1>{escape(name)} <span class="{word}">{result.verdict}</span></h1>'
        f'<p class="soft">{when}, {result.batch} samples of {escape(result.data)}, loss {measure(result.loss)}; '
        f"activity of {result.samples} inputs{only}{jacobian}</p>"
    )


def _differing(found: Mapping[str, InspectResult]) -> str:
    note = different_data(found)
    return "" if note is None else f'<p class="verdict warn"><b>Different data.</b> {escape(note)}</p>'


def _points(result: InspectResult, attribute: str) -> Sequence[Point]:
    points = []
    unit = _last_hidden_error(result) if attribute == "delta_rms" else 1.0
    for number, layer in enumerate(result.layers):
        value = getattr(layer, attribute)
        if value is None:
            continue
        label, band = f"{layer.path}: {value:.3g}", None
        if attribute in _PREDICTED and layer.prediction is not None:
            expected = getattr(layer.prediction, attribute)
            strayed = 10.0 ** (2 * (getattr(layer.prediction, _PREDICTED[attribute]) or 0.0))
            if expected is not None:
                band = (expected / strayed / unit, expected * strayed / unit)
                label += f", predicted {expected:.3g}"
        points.append(Point(number, value / unit, label, band))
    return points


def _last_hidden_error(result: InspectResult) -> float:
    """Return δ at the last layer before the output; where there is none, at the output."""
    sizes = [layer.delta_rms for layer in result.layers if layer.delta_rms and isfinite(layer.delta_rms)]
    return (sizes[-2:] or [1.0])[0]


def _spectral_points(result: InspectResult, attribute: str) -> Sequence[Point]:
    points = []
    for number, layer in enumerate(result.layers):
        if layer.spectrum is None:
            continue
        own, start = getattr(layer.spectrum.own, attribute), layer.spectrum.start
        unit = min(layer.spectrum.shape) if attribute in _RANKS else 1
        bounds = (None, None) if start is None else (getattr(start.low, attribute), getattr(start.high, attribute))
        low, high = bounds
        label, band = f"{layer.path}: {'∞' if own is None else format(own, '.3g')}", None
        if low is not None and high is not None:
            band = (low / unit, high / unit)
            label += f", at its start {low:.3g} to {high:.3g}"
        points.append(Point(number, inf if own is None else own / unit, label, band))
    return points


def _has_spectra(found: Mapping[str, InspectResult]) -> bool:
    return any(layer.spectrum is not None for result in found.values() for layer in result.layers)


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
            "A fresh start with this change does not have the verdict:"
            if verdict.afresh
            else "Inspected with this change, the verdict is gone:"
            if verdict.tried
            else "The likeliest change, not tried:"
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
