"""What a chat model is shown: prompts, which are files, and the evidence sentences that fill them.

Sentences are sent, not abstracts: a small model reads some fifty tokens a second, and answered better from eight good
sentences than from four abstracts. A prompt's digest goes into every record of an answer that used it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from assistant import cleaning, tokens
from assistant.errors import SettingsError
from assistant.evidence import Evidence, Sentence
from assistant.quotes import compose

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

EVIDENCE_TOKENS = 350  # by the model's own tokenizer where it is known, titles and numbers included
_TITLE_TOKENS = 40
_SEEDS = 6  # sentences of the quoted answer that the model sees in any case


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


@dataclass(frozen=True, slots=True)
class Shown:
    """The evidence as sent: `sentences[k - 1]` is the one numbered `[k]` in `text`."""

    sentences: tuple[Sentence, ...]
    text: str
    tokens: int
    left_out: int  # measured sentences that were not sent
    shortened: tuple[int, ...]  # numbers of sentences too long to be sent whole


Count = Callable[[str], int]


def show(evidence: Evidence, *, most_tokens: int = EVIDENCE_TOKENS, count: Count = tokens.count) -> Shown:
    """Picks sentences for a model, best first while they fit, and numbers them, paper by paper in reading order.

    What the quotes engine would say always comes first, so a model never knows less than the quotes do. At least one
    sentence is sent when there is any, shortened when it alone is over `most_tokens`.
    """
    measured = [sentence for paper in evidence.papers for sentence in paper.sentences]
    chosen: dict[tuple[str, int], Sentence] = {}
    left = most_tokens
    for sentence in _in_order_of_worth(evidence, measured):
        cost = count(f"[99] {_line(sentence.text)}\n")
        if sentence.paper.id not in {paper_id for paper_id, _ in chosen}:
            cost += count(f"{_title(sentence.paper.title, count)}\n")
        if cost <= left or not chosen:
            chosen[sentence.paper.id, sentence.start] = sentence
            left -= cost
    return _numbered(_by_paper(chosen.values()), most_tokens, count, left_out=len(measured) - len(chosen))


def _in_order_of_worth(evidence: Evidence, measured: Sequence[Sentence]) -> Iterable[Sentence]:
    """What would be quoted, then the rest of those papers, then other papers; see docs/experiments/chat.md."""
    seeds = [sentence for part in compose(evidence, most=_SEEDS) for sentence in part.sentences]
    quoted = {sentence.paper.id for sentence in seeds}
    ranked = sorted(measured, key=lambda s: (s.paper.id not in quoted, -s.score, s.paper.id, s.start))
    return {(sentence.paper.id, sentence.start): sentence for sentence in [*seeds, *ranked]}.values()


def _by_paper(sentences: Iterable[Sentence]) -> list[Sentence]:
    groups: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        groups.setdefault(sentence.paper.id, []).append(sentence)
    return [sentence for group in groups.values() for sentence in sorted(group, key=lambda s: s.start)]


def _numbered(sentences: Sequence[Sentence], most_tokens: int, count: Count, *, left_out: int) -> Shown:
    lines: list[str] = []
    shortened: list[int] = []
    paper_id = None
    for number, sentence in enumerate(sentences, start=1):
        if sentence.paper.id != paper_id:
            paper_id = sentence.paper.id
            lines.append(_title(sentence.paper.title, count))
        line = _line(sentence.text)
        cut = _cut(line, most_tokens, count)
        if cut != line:
            shortened.append(number)
        lines.append(f"[{number}] {cut}")
    text = "\n".join(lines)
    return Shown(tuple(sentences), text, count(text), left_out, tuple(shortened))


def _line(text: str) -> str:
    """Cleaned, and on one line: no text of a document can begin a line of the prompt."""
    return " ".join(cleaning.clean(text).text.split())


def _title(title: str, count: Count) -> str:
    return f"Paper: {_cut(_line(title), _TITLE_TOKENS, count)}"


def _cut(text: str, most_tokens: int, count: Count) -> str:
    """At most about `most_tokens` tokens of `text`, whole words, with a sign that there is more."""
    if len(text) <= most_tokens or count(text) <= most_tokens:
        return text
    words = text[: most_tokens * 12].split(" ")
    low, high = 1, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(" ".join(words[:middle])) < most_tokens else (low, middle - 1)
    return " ".join(words[:low])[: most_tokens * 12] + " …"


def messages(question: str, shown: Shown, instructions: str = "answer") -> list[BaseMessage]:
    """The instructions, a prompt's name, which never change and can be cached by a server, then the evidence and the question."""
    from langchain_core.messages import HumanMessage, SystemMessage

    data = prompt("evidence").fill(evidence=shown.text, question=" ".join(question.split()))
    return [SystemMessage(prompt(instructions).text.strip()), HumanMessage(data.strip())]
