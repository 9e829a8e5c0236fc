"""What a follow-up question is turned into, and the turn of a conversation that it is made from.

The rewriting goes to the answer's record and to the user, so it must read as a question that a person could have asked.
What is searched for within the papers may be shorter (`asked`): a long title in a question drowns what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from assistant import details, naming, pointing, questions
from assistant.evidence import asked_terms, telling
from assistant.papers import Paper
from assistant.spending import Call
from assistant.subject import Surroundings

Kind = Literal[
    "own", "pointed", "picked", "corrected", "restyled", "exchanged", "continued", "named", "reference", "elliptical"
]
_SHORT_NAME = 3  # words; a longer name is set beside the question, not into it
_TOPIC_WORDS = 5


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier turn: what was asked, and the papers that its answer was about, in the order they were shown."""

    question: str
    query: str
    papers: tuple[Paper, ...]
    stem: str = ""  # the query before a fragment was added to it
    focus: tuple[str, ...] = ()  # ids of the papers that the question was taken to be about

    @property
    def root(self) -> str:
        """What a further fragment is added to."""
        return self.stem or self.query


@dataclass(frozen=True, slots=True)
class Restated:
    """That a chat model was asked for the stand-alone question: both texts, whose was taken, and why not the model's."""

    by: Literal["rules", "model"]
    rules: str
    model: str  # what came of its reply; empty when nothing did
    kept_because: str  # why the rules' question was kept; empty when the model's was taken
    seconds: float
    prompt: str  # the prompt's digest
    call: Call | None  # None when the model was not reached

    def to_dict(self) -> dict[str, Any]:
        """For the answer's record."""
        usage = dict(self.call.usage) if self.call and self.call.usage else None
        texts = {"rules": self.rules, "model": self.model, "kept_because": self.kept_because}
        return {"by": self.by, **texts, "seconds": self.seconds, "prompt": self.prompt, "usage": usage}


@dataclass(frozen=True, slots=True)
class StandAlone:
    """A question that needs no history. `focus` are the papers that it is about when it doesn't name them itself."""

    query: str
    focus: tuple[Paper, ...] = ()
    context: tuple[Paper, ...] = ()  # papers just spoken of, which it may be about
    sentences: int | None = None  # how many sentences are wanted, when the user said so
    asked: str = ""  # what is asked of the papers in focus; `query` when empty
    kind: Kind = "own"
    filled: tuple[tuple[str, str], ...] = ()  # (words of the user, what they were taken to mean)
    stem: str = ""
    notes: tuple[str, ...] = field(default=())  # what the user should be told
    restated: Restated | None = None  # None when no chat model was asked

    @property
    def searched(self) -> str:
        """The question that evidence is gathered for."""
        return self.asked if self.asked and self.focus else self.query

    def to_dict(self) -> dict[str, Any]:
        """How the stand-alone question came about, for the answer's record."""
        return {
            "kind": self.kind,
            "filled": [{"said": said, "means": means} for said, means in self.filled],
            "focus": [{"id": paper.id, "title": paper.title} for paper in self.focus],
            "context": [paper.id for paper in self.context],
            "asked": self.asked,
            "stem": self.stem,
            **(self.restated.to_dict() if self.restated else {"by": "rules", "rules": self.query}),
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """A question with what it may lean on; `plain` is without "ok, thanks. And …"."""

    text: str
    past: Sequence[Exchange]
    near: Surroundings

    @property
    def plain(self) -> str:
        return pointing.LEADING.sub("", self.text) or self.text

    @property
    def last(self) -> Exchange:
        return self.past[-1]

    @property
    def several(self) -> tuple[Paper, ...]:
        """The papers of the latest answer that had more than one, else all that were spoken of, first first."""
        for exchange in reversed(self.past):
            if len(exchange.papers) > 1:
                return exchange.papers
        return self.spoken

    @property
    def spoken(self) -> tuple[Paper, ...]:
        """The paper that each earlier answer was about, in the order of the conversation."""
        return tuple(dict.fromkeys(exchange.papers[0] for exchange in self.past))

    @property
    def recent(self) -> tuple[Paper, ...]:
        return tuple(dict.fromkeys(paper for exchange in reversed(self.past) for paper in exchange.papers))

    @property
    def topic(self) -> str:
        """What the last question was on, when it was put as "What is X?", "Tell me about X" and the like."""
        match = pointing.TOPIC.match(self.last.root)
        topic = (match.group("topic") or match.group("told")).strip() if match else ""
        if topic and re.search(rf"(?i)\bthe {re.escape(topic)}", self.last.root):
            topic = f"the {topic}"
        return (
            topic
            if 0 < len(topic.removeprefix("the ").split()) <= _TOPIC_WORDS and not pointing.refers(topic)
            else ""
        )

    def rarity(self) -> Callable[[str], float]:
        return telling(self.near.statistics)

    def named(self, text: str, papers: Sequence[Paper]) -> tuple[Paper, ...]:
        rarity = self.rarity()
        return tuple(paper for paper in papers if naming.named(text, paper, rarity))

    def label(self, paper: Paper) -> str:
        """What the user called the paper, else its short name, else its title."""
        for exchange in reversed(self.past):
            for text in (exchange.question, exchange.query):
                if paper in exchange.papers and (found := naming.named(text, paper, self.rarity())):
                    word = next((w for w in text.split() if naming.fold(w.strip("?,.:;!'\"")) in found.words), "")
                    word = re.sub(r"['’]s$", "", word.strip("?,.:;!'\""))
                    if short := next((n for n in naming.short_names(paper) if naming.fold(n) in found.words), ""):
                        word = short
                    if len(found.words) <= 2 and any(c.isupper() for c in word[1:]) and _names(word, paper):
                        return word
        return naming.label(paper)


def _names(word: str, paper: Paper) -> bool:
    """Whether the word is a name of the paper or of what it introduces, not only a rare word that it uses."""
    if naming.fold(word) in naming.words(paper.title) or naming.fold(word) == naming.fold(naming.label(paper)):
        return True
    introduced = rf"\b(?:propos\w+|introduc\w+|present\w*|call\w+|term\w+|named?|approach|method|framework|model)\W+(?:\w+\W+){{0,5}}?{re.escape(word)}\b"
    return re.search(introduced, paper.abstract) is not None


def main_paper(exchange: Exchange) -> tuple[Paper, ...]:
    """The paper of an answer about one; none where several were asked for, since the question finds them again."""
    return exchange.papers[:1] if questions.read(exchange.query).kind not in ("list", "comparison") else ()


def about(turn: Turn, text: str, paper: Paper, said: str, kind: Kind) -> StandAlone:
    """A question that says nothing of its paper, with the paper's name."""
    filled = ((said, paper.title),)
    if pointing.refers(text):
        found = substituted(turn, text, (paper,))
        return replace(found, kind=kind, filled=filled)
    return replace(with_subject(turn, text, (paper,)), kind=kind, filled=filled)


def placed(turn: Turn, match: re.Match[str], paper: Paper, kind: Kind, whole: bool = True) -> StandAlone:
    """The question with a paper's name where the question pointed at it."""
    label = turn.label(paper)
    before = pointing.LEADING.sub("", pointing.WHAT_ABOUT.sub("", turn.text[: match.start()]))
    after = turn.text[match.end() :]
    rest = f"{before} {after}".strip(" ,.:;?!")
    if not asked_terms(re.sub(r"(?i)\bone\b", " ", rest)) and not details.asked(rest):
        query = f"What is {quoted(label)} about?"
        return StandAlone(query, (paper,), kind=kind, filled=((match.group(), paper.title),))
    opening = re.sub(r"(?i)^(?:in|for|of|about|from|on)\s*$", "", before.strip())
    if not opening and after[:1] in ",:;":
        return about(turn, after.strip(" ,:;"), paper, match.group(), kind)
    query = capital(f"{before}{quoted(label)}{after}")
    asked = capital(f"{before}{label if is_short(label) else 'the paper'}{after}")
    return StandAlone(query, (paper,), asked=asked, kind=kind, filled=((match.group(), paper.title),))


def substituted(turn: Turn, text: str, focus: Sequence[Paper]) -> StandAlone:
    """Puts the papers' names where the question points back; beside it where no name fits in."""
    labels = [turn.label(paper) for paper in focus]
    if (
        len(focus) == 1
        and turn.topic
        and tuple(focus) == turn.last.papers[:1]
        and (found := _topical(turn, text, focus))
    ):
        return found
    name = " and ".join(map(quoted, labels))
    compared = questions.read(text).kind == "comparison" or len(focus) > 1
    if not compared and not all(map(is_short, labels)):
        return with_subject(turn, text, focus)
    owner = f"{name}'" if name.endswith("s") else f"{name}'s"
    replacements = [(pointing.POSSESSIVE, owner), (pointing.POINTING, name), (pointing.PRONOUN, name)]
    if compared:
        replacements += [(pointing.SEVERAL, name), (pointing.THEY, name)]
    for pattern, replacement in replacements:
        if match := pattern.search(text):
            said = match.group()
            if said.split()[-1].casefold() in ("that", "this") and not compared:
                break
            kept = said.split()[0] + " " if pattern is pointing.PRONOUN and " " in said else ""
            kept = "compare " if said.casefold().startswith("compare ") else kept
            query = capital(text[: match.start()] + kept + replacement + text[match.end() :])
            return StandAlone(query, tuple(focus), kind="reference", filled=((said, name),))
    return with_subject(turn, text, focus)


def _topical(turn: Turn, text: str, focus: Sequence[Paper]) -> StandAlone | None:
    """ "How are they found?" after "What are critical tokens?": with what was asked about in the pronoun's place."""
    plural = turn.topic.endswith("s")
    owner = f"{turn.topic}'" if plural else f"{turn.topic}'s"
    places = ((pointing.POSSESSIVE, owner), (pointing.THEY, turn.topic) if plural else (pointing.PRONOUN, turn.topic))
    for pattern, replacement in places:
        if match := pattern.search(text):
            said = match.group()
            kept = said.split()[0] + " " if " " in said else ""
            query = capital(text[: match.start()] + kept + replacement + text[match.end() :])
            return StandAlone(query, tuple(focus), kind="reference", filled=((said, turn.topic),))
    return None


def with_subject(turn: Turn, text: str, focus: Sequence[Paper]) -> StandAlone:
    """The question with its papers named before it, and the question itself to search them with."""
    text = capital(_ones(turn, pointing.LEADING.sub("", text) or text))
    labels = [turn.label(paper) for paper in focus]
    name = " and ".join(map(quoted, labels))
    kind: Kind = "reference" if pointing.refers(text) else "elliptical"
    filled = (("", "; ".join(paper.title for paper in focus)),)
    query = f"In {name}: {text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == ' ' else text}"
    asked = f"In {name}: {text}" if all(map(is_short, labels)) else text
    return StandAlone(query, tuple(focus), asked=asked, kind=kind, filled=filled)


def _ones(turn: Turn, text: str) -> str:
    """ "How many cellular ones": with the last question's noun, "How many cellular microRNAs"."""
    plurals = [w.strip("?.,!;:") for w in turn.last.root.split() if re.fullmatch(r"[\w-]{3,}[^s\W]s\W*", w)]
    nouns = [word for word in plurals if asked_terms(word) and word.casefold() != "does"]
    return re.sub(r"\bones\b", nouns[-1], text) if nouns else text


def is_short(label: str) -> bool:
    return len(label.split()) <= _SHORT_NAME


def quoted(label: str) -> str:
    return label if is_short(label) else f"“{label}”"


def capital(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]
