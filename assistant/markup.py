"""Text that stays text inside Markdown: nothing that a paper or a person wrote becomes markup or a link."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&!()^=@])")
_SCHEME = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])[:.]")
_LINE_START = re.compile(r"^([-+])|^(\d{1,9})([.)])")


def escaped(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown would take for markup or for a link.

    >>> escaped("# 5 * 3 see [x](http://y)")
    '\\\\# 5 \\\\* 3 see \\\\[x\\\\]\\\\(http\\\\://y\\\\)'
    """
    line = " ".join(text.split())
    line = _SPECIAL.sub(r"\\\1", line)
    line = _SCHEME.sub(lambda found: f"{found.group()[:-1]}\\{found.group()[-1]}", line)
    return _LINE_START.sub(lambda m: f"\\{m.group(1)}" if m.group(1) else f"{m.group(2)}\\{m.group(3)}", line)
