"""Imagined papers: abstracts composed from templates, so that what each sentence states is known exactly.

Every kind of detail comes with many phrasings, present in some papers and absent from others under the same question
words. What is asked of them is in `imagined`.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

_FOLDER = files("assistant.training")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(slots=True)
class Kind:
    """One kind of detail: sentences that state it, questions it answers."""

    name: str
    near: frozenset[str]  # kinds that may answer its questions too
    swap: str | None  # slot whose change makes its questions unanswerable
    sentences: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    vague: list[str] = field(default_factory=list)  # sentences about it that do not state it


@cache
def kinds(file: str = "grammar.txt") -> dict[str, Kind]:
    """The sections of the file by name."""
    found: dict[str, Kind] = {}
    kind = Kind("", frozenset(), None)
    for line in (_FOLDER / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("=="):
            head, _, near = line[2:].partition("~")
            name, _, swap = head.partition("!")
            kind = Kind(name.strip(), frozenset(near.split()), swap.strip() or None)
            found[kind.name] = kind
        elif line[:2] == "S ":
            kind.sentences.append(line[2:])
        elif line[:2] == "Q ":
            kind.questions.append(line[2:])
        elif line[:2] == "V ":
            kind.vague.append(line[2:])
    return found


@cache
def slots() -> dict[str, tuple[str, ...]]:
    """The values of slots.txt by slot."""
    lines = (_FOLDER / "slots.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    return {name: tuple(values.split("|")) for name, values in pairs}


def _numbers(r: random.Random) -> dict[str, str]:
    """Fresh values for the slots that hold numbers."""
    count = r.choice([r.randint(120, 990), r.randint(1000, 99999), r.randint(2, 40) * 1000])
    return {
        "value": r.choice([f"{r.uniform(20, 99):.1f}", f"{r.uniform(20, 99):.1f}%", f"{r.uniform(0.2, 0.99):.2f}"]),
        "points": r.choice([f"{r.uniform(0.3, 25):.1f}", str(r.randint(2, 30))]),
        "count": r.choice(
            [f"{count:,}", str(count), f"over {count:,}", f"{r.randint(1, 9)}.{r.randint(1, 9)} million"]
        ),
        "params": r.choice(["7B", "1.3B", "350M", "70 billion", "110 million", "13B", "0.5B", "8 billion", "60M"]),
        "tokens": r.choice(["1.2T", "300 billion", "15 trillion", "2B", "800 million", "50B"]),
        "rate": r.choice(["2e-5", "0.001", "1e-4", "3e-4", "5e-6", "0.1", "10^-3"]),
        "batch": r.choice(["16", "32", "64", "128", "256", "512", "1024", "2048"]),
        "epochs": str(r.choice([3, 5, 10, 20, 50, 90, 100, 300])),
        "layers": str(r.choice([4, 6, 12, 24, 32, 48, 96])),
        "hidden": str(r.choice([256, 384, 768, 1024, 4096])),
        "window": r.choice(["4,096", "8k", "32K", "128k", "200,000", "one million", "2048"]),
        "factor": r.choice([f"{r.uniform(1.2, 9.9):.1f}", str(r.randint(2, 40))]),
        "percent": str(r.randint(5, 95)),
        "memory": str(r.choice([4, 8, 11, 16, 24, 40, 80])),
        "money": r.choice(["300", "1,500", "20", "4.6 million", "75,000", "600"]),
        "nlang": str(r.choice([3, 5, 11, 14, 23, 40, 101, 200])),
        "people": r.choice([str(r.randint(6, 400)), "twelve", "thirty", "over 100"]),
        "kappa": f"{r.uniform(0.35, 0.95):.2f}",
        "digit": str(r.choice([1, 5])),
        "seeds": r.choice(["three", "5", "ten", "five", "3", "20"]),
        "year": str(r.randint(2009, 2025)),
    }


class Paper:
    """An imagined paper: its slot values, title and the sentences of its abstract with their kinds."""

    def __init__(self, generator: random.Random) -> None:
        self.generator = r = generator
        self.values = {slot: r.choice(choices) for slot, choices in slots().items()} | _numbers(r)
        name = self.values["name"]
        distinct = r.sample(slots()["dataset"], 3)
        self.values |= {"dataset": distinct[0], "dataset2": distinct[1], "dataset3": distinct[2]}
        self.values["long"] = _long_form(name, r)
        self.values["slug"] = name.lower().replace("+", "")
        self.values["slug2"] = self.values["task"].split()[-1]
        self.values["url"] = f"https://{self.values['slug']}.github.io"
        self.title = self.fill(r.choice(_TITLES))
        stated = r.sample([kind for kind in kinds() if kind not in _NOT_DRAWN], r.randint(3, 6))
        if r.random() < 0.3 and "score" not in stated:
            stated.append("score_metric")
        if "proposal" not in stated and r.random() < 0.6:
            stated.insert(0, "proposal")
        self.stated = stated
        order = stated + ["filler"] * r.randint(1, 2)
        self.sentences = self._joined([({kind}, self.fill(r.choice(kinds()[kind].sentences))) for kind in order])

    def _joined(self, plain: list[tuple[set[str], str]]) -> list[tuple[set[str], str]]:
        """Some neighbours made one sentence, and some opened with a linking word, as authors do."""
        r = self.generator
        joined: list[tuple[set[str], str]] = []
        for kinds_here, text in plain:
            if joined and r.random() < 0.25:
                before, earlier = joined[-1]
                glue = r.choice([", and ", "; ", ", while ", " and "])
                joined[-1] = (before | kinds_here, earlier.rstrip(".") + glue + self._lowered(text))
            elif joined and r.random() < 0.2:
                link = r.choice(
                    ["In addition, ", "Moreover, ", "Furthermore, ", "Specifically, ", "Notably, ", "Finally, "]
                )
                joined.append((kinds_here, link + self._lowered(text)))
            else:
                joined.append((kinds_here, text))
        return joined

    @staticmethod
    def _lowered(text: str) -> str:
        first = text.split()[0]
        return text if any(letter.isupper() for letter in first[1:]) or first == "I" else text[0].lower() + text[1:]

    def fill(self, template: str, **other: str) -> str:
        """Choose among the alternatives and fill the slots; `other` overrides the paper's own values."""
        r = self.generator
        while match := _CHOICE.search(template):
            template = template[: match.start()] + r.choice(match[1].split("|")) + template[match.end() :]
        name = self.values["name"]
        own = r.choice([name, name, "our method", "the proposed approach", "it", "our approach", "the model"])
        values = {**self.values, "it": own, **other}

        def value(match: re.Match[str]) -> str:
            slot = match[1]
            if slot.lower() in values and slot[0].isupper():
                found = values[slot.lower()]
                return found[:1].upper() + found[1:]
            return values[slot]

        text = re.sub(r"\s+", " ", _SLOT.sub(value, template)).replace(" ,", ",").strip()
        return text[:1].upper() + text[1:] if not text.startswith(name) else text

    def question(self, kind: Kind, **other: str) -> str:
        """A question of the kind, naming the paper by name, by task, or (seldom) not at all."""
        text = self.fill(self.generator.choice(kind.questions), **other)
        if self.generator.random() < 0.15:
            text = text.lower() if self.generator.random() < 0.5 else text.rstrip("?")
        return text


_NOT_DRAWN = ("filler", "never", "score_metric")
_TITLES = (
    "{name}: [Towards|Improving|Rethinking|A New Look at|Advancing] {task}",
    "{name}: [A|An] {adjective} {method} for {task}",
    "{Adjective} {task}",
    "[Learning|Scaling|Evaluating|Understanding] {task} [with|via|through] {name}",
    "{long} for {task}",
    "[On|Revisiting|Beyond] {task}: [a|the] {adjective} [approach|perspective|view]",
)
_LONG_FORM_WORDS = (
    "Adaptive Aligned Bounded Calibrated Contrastive Deep Diverse Dynamic Efficient Evaluation Flexible Fast Graph Guided "
    "Hierarchical Hybrid Inference Iterative Joint Knowledge Language Latent Learning Multi-step Memory Network Neural "
    "Open Optimal Prompt Policy Query Quantized Reasoning Retrieval Sampling Sparse Tuning Transfer Unified Understanding "
    "Verified Visual Weighted World Cross Yield Zero-shot"
)


def _long_form(name: str, r: random.Random) -> str:
    letters = [letter for letter in name if letter.isupper()] or list(name[:2].upper())
    return " ".join(
        r.choice([word for word in _LONG_FORM_WORDS.split() if word[0] == letter] or [letter]) for letter in letters
    )
