"""Prompts are files beside this module; their hash goes into every record of an answer that used them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from assistant.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt file's text and the first 16 hex digits of its sha256."""

    name: str
    text: str
    digest: str

    def fill(self, **values: str) -> str:
        """Puts values at the `{placeholders}`; braces inside values stay as they are. Raises SettingsError."""
        for name in values:
            if f"{{{name}}}" not in self.text:
                raise SettingsError(f"prompt {self.name!r} has no placeholder {{{name}}}; restore the shipped file")
        placeholders = "|".join(re.escape(name) for name in values)
        return re.sub(rf"{{({placeholders})}}", lambda match: values[match.group(1)], self.text)


@cache
def prompt(name: str) -> Prompt:
    """The shipped prompt `name`."""
    text = resources.files("assistant").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
    return Prompt(name, text, hashlib.sha256(text.encode()).hexdigest()[:16])
