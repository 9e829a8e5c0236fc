"""Questions on content, made from relations that a sentence states: "X inhibits Y" answers "what does X inhibit?"."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from assistant.training.pairs import Abstract, Pair

_VERBS = {
    "increases|increased": "increase", "reduces|reduced": "reduce", "decreases|decreased": "decrease",
    "inhibits|inhibited": "inhibit", "promotes|promoted": "promote", "induces|induced": "induce",
    "regulates|regulated": "regulate", "activates|activated": "activate", "improves|improved": "improve",
    "suppresses|suppressed": "suppress", "controls|controlled": "control", "enhances|enhanced": "enhance",
    "binds|bound": "bind", "prevents|prevented": "prevent", "mediates|mediated": "mediate",
    "causes|caused": "cause", "affects|affected": "affect", "predicts|predicted": "predict",
    "encodes|encoded": "encode", "requires|required": "require", "contributes to|contributed to": "contribute to",
    "leads to|led to": "lead to", "results in|resulted in": "result in", "plays": "play",
}  # fmt: skip
_STATES = "associated with|required for|involved in|essential for|linked to|necessary for|caused by|expressed in|related to|correlated with"
_RELATION = re.compile(
    r"(?:^|that |, )(?P<subject>(?!we |there |it |this |these |which )[\w()/+αβγκ-]+(?: [\w()/+αβγκ-]+){0,6}?) "
    rf"(?:(?P<verb>{'|'.join(_VERBS)})|(?P<be>is|are|was|were) (?:\w+ly )?(?P<state>{_STATES})) "
    r"(?P<object>[\w()/+αβγκ-]+(?: [\w()/+αβγκ-]+){1,8})",
    re.IGNORECASE,
)
_VERB_QUESTIONS = (
    "What does {s} {b}?",
    "Does {s} {b} {o}?",
    "How does {s} affect {o}?",
    "What effect does {s} have on {o}?",
    "What {v} {o}?",
    "What is the relation between {s} and {o}?",
    "What is known about {s} and {o}?",
    "What role does {s} have in {o}?",
)
_STATE_QUESTIONS = (
    "What {be} {s} {b}?",
    "{Be} {s} {b} {o}?",
    "What {be} {b} {o}?",
    "What is the link between {s} and {o}?",
    "What has {s} to do with {o}?",
)


_FUNCTION_WORDS = (
    "and or are have has had is was were be been being that the a an of in to with by not for from on at as than also but "
    "significantly which who we it both can may could will would did does do into their its these this such there"
)
_NO_EDGE = frozenset(_FUNCTION_WORDS.split())


def relation(sentence: str) -> re.Match[str] | None:
    """The first relation of the sentence whose two sides look like noun phrases."""
    for match in _RELATION.finditer(sentence):
        left, right = match["subject"].split(), match["object"].split()
        edges = {left[0].lower(), left[-1].lower(), right[0].lower()} - {"the", "a", "an"}
        if not edges & _NO_EDGE and left[-1].lower() not in ("the", "a", "an") and not left[0].isupper():
            return match
    return None


def relations(paper: Abstract, objects: Sequence[str], r: random.Random) -> Iterator[Pair]:
    found = [(sentence, match) for sentence in paper.sentences if (match := relation(sentence))]
    for sentence, match in r.sample(found, min(2, len(found))):
        frame = r.choice(_VERB_QUESTIONS if match["verb"] else _STATE_QUESTIONS)
        title = paper.title if r.random() < 0.8 else ""
        yield Pair(_question(frame, match, match["object"]), title, sentence, 1, "relation")
        words = set(re.findall(r"\w{4,}", (match["subject"] + " " + match["object"]).lower()))
        others = [text for text in paper.sentences if text != sentence]
        others.sort(key=lambda text: -len(words & set(re.findall(r"\w{4,}", text.lower()))))
        for text in [
            text for text in others if len(words & set(re.findall(r"\w{4,}", text.lower()))) <= len(words) // 2
        ][:2]:
            yield Pair(_question(frame, match, match["object"]), title, text, 0, "relation")
        if "{o}" in frame and r.random() < 0.5:
            yield Pair(_question(frame, match, r.choice(objects)), title, sentence, 0, "foreign object")


def _question(frame: str, match: re.Match[str], obj: str) -> str:
    subject_ = match["subject"]
    subject_ = subject_ if subject_[:2].isupper() else subject_[:1].lower() + subject_[1:]
    if match["verb"]:
        base = next(base for forms, base in _VERBS.items() if re.fullmatch(forms, match["verb"], re.IGNORECASE))
    else:
        base = match["state"]
    be = match["be"] or ""
    words = obj.split()[:6]
    while len(words) > 1 and words[-1].lower() in _NO_EDGE:
        words.pop()
    return frame.format(s=subject_, b=base, v=match["verb"], o=" ".join(words), be=be, Be=be.capitalize())
