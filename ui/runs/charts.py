"""Values with their intervals as inline SVG: a dot for the value, a line from the interval's low to its high end."""

from __future__ import annotations

from typing import Final

_WIDTH: Final = 300
_HEIGHT: Final = 22
_EDGE: Final = 6


def share(mean: float, low: float | None, high: float | None) -> str:
    """A share on a scale from 0 to 1."""
    marks = "".join(
        f'<line class="ibid-grid" x1="{_at(place)}" x2="{_at(place)}" y1="2" y2="{_HEIGHT - 2}"/>'
        for place in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    return _svg(marks + _whisker(_at(low), _at(high)) + _dot(_at(mean)))


def change(
    delta: float, low: float | None, high: float | None, margin: float | None, reach: float, better: int
) -> str:
    """A change on a scale from -`reach` to `reach`; `margin` is shaded where a loss would still be borne.

    `better` is 1 where more is better, -1 where less is, else 0.
    """

    def at(value: float | None) -> float | None:
        return None if value is None else _at(0.5 + value / (2 * max(reach, 1e-9)))

    zero, edge = at(0.0) or 0.0, at(-(margin or 0.0) * better) or 0.0
    left, right = sorted((edge, zero))
    shade = f'<rect class="ibid-margin" x="{left:.1f}" y="1" width="{right - left:.1f}" height="{_HEIGHT - 2}"/>'
    shade = shade if right > left else ""
    axis = f'<line class="ibid-zero" x1="{zero}" x2="{zero}" y1="0" y2="{_HEIGHT}"/>'
    return _svg(shade + axis + _whisker(at(low), at(high)) + _dot(at(delta)))


def _at(value: float | None) -> float | None:
    if value is None:
        return None
    return round(_EDGE + min(1.0, max(0.0, value)) * (_WIDTH - 2 * _EDGE), 1)


def _whisker(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    middle = _HEIGHT / 2
    ends = "".join(
        f'<line class="ibid-whisker" x1="{x}" x2="{x}" y1="{middle - 4}" y2="{middle + 4}"/>' for x in (low, high)
    )
    return f'<line class="ibid-whisker" x1="{low}" x2="{high}" y1="{middle}" y2="{middle}"/>{ends}'


def _dot(x: float | None) -> str:
    return f'<circle class="ibid-value" cx="{x}" cy="{_HEIGHT / 2}" r="4.5"/>'


def _svg(content: str) -> str:
    return f'<svg class="ibid-interval" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{content}</svg>'
