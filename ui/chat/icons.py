"""The page's few drawings: strokes of the text's own colour on a grid of 24, hidden from screen readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PATHS: Final[Mapping[str, str]] = {
    "add": '<path d="M12 5v14M5 12h14"/>',
    "again": '<path d="M20 11a8 8 0 1 0-2.3 6.3M20 4v7h-7"/>',
    "close": '<path d="M6 6l12 12M18 6L6 18"/>',
    "copy": '<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15V6a2 2 0 0 1 2-2h8"/>',
    "down": '<path d="M17 14V3H7.5a2 2 0 0 0-2 1.6L4 12a2 2 0 0 0 2 2.4h4.5L9.5 19a2 2 0 0 0 3.6 1.6L17 14h3V3h-3"/>',
    "edit": '<path d="M4 20h4L19 9l-4-4L4 16v4zM13.5 6.5l4 4"/>',
    "filter": '<path d="M4 6h16M7 12h10M10 18h4"/>',
    "left": '<path d="M15 5l-7 7 7 7"/>',
    "list": '<path d="M4 6h16M4 12h16M4 18h10"/>',
    "more": '<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3"/>',
    "right": '<path d="M9 5l7 7-7 7"/>',
    "send": '<path d="M12 20V5M5.5 11L12 4.5l6.5 6.5"/>',
    "stop": '<rect x="6.5" y="6.5" width="11" height="11" rx="1.5" fill="currentColor" stroke="none"/>',
    "up": '<path d="M7 10v11h9.5a2 2 0 0 0 2-1.6L20 12a2 2 0 0 0-2-2.4h-4.5l1-4.6a2 2 0 0 0-3.6-1.6L7 10H4v11h3"/>',
}


def icon(name: str) -> str:
    """The drawing of this name as inline SVG."""
    return (
        '<svg class="ibid-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.7" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{_PATHS[name]}</svg>'
    )
