"""Follow-ups that put another subject or detail in the last question's place, or go on with it as a fragment."""

from __future__ import annotations

import re
from dataclasses import replace

from assistant import details, naming, pointing, questions
from assistant.evidence import asked_terms
from assistant.papers import Paper
from assistant.pointed import placed_in
from assistant.standalone import StandAlone, Turn, capital, main_paper, quoted, with_subject
from assistant.subject import ON_SUBJECT

_FRAGMENT_TERMS = 3
_WHEN = re.compile(r"(?i)^(?:the )?(?:publication )?(?:year|date)$")
_ASKED_OF = re.compile(r"^In (?:“[^”]+”|[^\s:]+(?: [^\s:]+){0,2}): (?P<rest>.+)$")  # what `with_subject` makes


def corrected(turn: Turn) -> StandAlone | None:
    """ "No, I meant R^3": the last question, of something else."""
    match = pointing.CORRECTION.match(turn.text)
    if not match:
        return None
    what = match.group("what")
    if (found := placed_in(turn, what)) and not asked_terms(what.replace(found[0].group(), " ")):
        return _asked_of(turn, found[1], found[0].group())
    if len(asked_terms(what)) > _FRAGMENT_TERMS or (pointing.VERB.search(what) and len(what.split()) > 3):
        return StandAlone(capital(re.sub(r"(?i)^(?:about|the (?=\w+ing\b))\s*", "", what)), kind="corrected")
    return replace(_exchanged_for(turn, what), kind="corrected")


def _asked_of(turn: Turn, paper: Paper, said: str) -> StandAlone:
    """The last question, of another paper; what that paper is about where the question can't be put of it."""
    label = turn.label(paper)
    if made := _ASKED_OF.match(turn.last.root):
        own = with_subject(turn, made.group("rest"), (paper,))
        return replace(own, kind="corrected", filled=((said, paper.title),))
    query = _name_exchanged(turn, turn.last.root, quoted(label)) or f"What is {quoted(label)} about?"
    return StandAlone(query, (paper,), kind="corrected", filled=((said, paper.title),))


def exchanged(turn: Turn) -> StandAlone | None:
    """ "And on GSM8K?", "What about ExPO?": the last question with its subject or its detail exchanged."""
    match = pointing.WHAT_ABOUT.match(turn.text)
    if not match:
        return None
    what = turn.text[match.end() :].strip(" ?.!")
    asks = (
        re.match(r"(?:what|which|who|how|when|where|why)\b", what, re.IGNORECASE)
        or questions.read(what).kind != "fact"
    )
    if not what or pointing.refers(what) or len(what.split()) > 8 or asks or details.asked(what):
        return None
    if pointing.VERB.search(what):
        return None
    if re.match(r"(?:on|for|in|with|at|by|using|to|from|of)\b", what, re.IGNORECASE):
        return _continued_by(turn, what)
    return _exchanged_for(turn, what)


def _exchanged_for(turn: Turn, what: str) -> StandAlone:
    what = what.strip(" ?.!")
    named = turn.named(what, turn.near.ranked(what)[:4])
    others = tuple(paper for paper in named if paper not in turn.last.papers[:1])
    swapped = _like_exchanged(turn.last.root, what) or _topic_exchanged(turn.last.root, what)
    belongs = turn.near.belongs(what, turn.last.papers[:1]) >= ON_SUBJECT
    if made := _ASKED_OF.match(turn.last.root):  # the name stands before the question, not within it
        if not others:
            thing = re.match(r"(?i)(?:the|an?)\s", what)
            what = _WHEN.sub("the year of publication", what)
            return with_subject(turn, f"What is {what}?" if thing else f"{what}?", turn.last.papers[:1])
        swapped = f"In {quoted(turn.label(others[0]))}: {made.group('rest')}"
    elif (
        others or not belongs or re.search(r"[A-Z0-9]", what)
    ):  # "and relevance?" is another detail, not another subject
        swapped = swapped or _name_exchanged(turn, turn.last.root, what)
    if others:
        query = swapped or f"What is {what}?"
        return StandAlone(query, others[:1], kind="exchanged", filled=((turn.text, others[0].title),))
    if swapped and not named:
        return StandAlone(swapped, kind="exchanged", filled=((turn.text, what),))
    if belongs:
        return _continued_by(turn, what)
    if _elsewhere(turn, what):
        return StandAlone(f"{capital(what)}?", kind="exchanged", filled=((turn.text, what),))
    return StandAlone(f"{turn.last.root.rstrip(' ?.!')} {what}?", kind="exchanged", filled=((turn.text, what),))


def _elsewhere(turn: Turn, what: str) -> bool:
    """Whether what a fragment names is far from all that the last question came near: then it is asked by itself."""
    near = turn.near.ranked(what)[:1]
    return bool(near) and near[0] not in turn.last.papers and near[0] not in turn.near.ranked(turn.last.root)


def _name_exchanged(turn: Turn, question: str, name: str) -> str | None:
    """`question` with `name` where it called its paper; None when it did not call it by a word."""
    called = naming.named(question, turn.last.papers[0], turn.rarity())
    if not called or len(called.words) > 4:
        return None
    called_so = [t for t in question.split() if set(naming.words(t)) & called.words]
    spelt = all(any(c.isupper() or c.isdigit() for c in token.strip("?.,")[1:]) for token in called_so)
    if not spelt and turn.label(turn.last.papers[0]).casefold() not in question.casefold():
        return None
    kept: list[str] = []
    placed = False
    for token in question.split():
        own = set(naming.words(token))
        if own and own & called.words:
            if not placed:
                tail = re.search(r"(?:['’]s)?[?.,:;!]*$", token)
                kept.append(name + (tail.group() if tail else ""))
            placed = True
        else:
            kept.append(token)
    return " ".join(kept) if placed else None


def _topic_exchanged(question: str, what: str) -> str | None:
    """ "Which papers are about X?", "What is X?": with the new subject for X."""
    match = pointing.LISTED_TOPIC.search(question)
    if match is None and (match := pointing.TOPIC.match(question)) and not match.group("topic"):
        match = None
    return f"{question[: match.start('topic')]}{what}{question[match.end('topic') :]}" if match else None


def _like_exchanged(question: str, what: str) -> str | None:
    """ "… hepatitis C …" and "hepatitis E": the like of it in its place."""
    *head, tail = what.split()
    if not head or len(head) > 3:
        return None
    like = re.search(rf"\b{re.escape(' '.join(head))} (?!{re.escape(tail)}\b)[\w+-]+", question, re.IGNORECASE)
    return question[: like.start()] + what + question[like.end() :] if like else None


def continued(turn: Turn) -> StandAlone | None:
    """ "Why?", "which ones?", "in which organism?": a fragment that goes on with the last question."""
    plain = turn.plain.strip(" ?.!")
    if not plain or (pointing.refers(plain) and not pointing.WHY.match(turn.text)):
        return None
    if pointing.WHY.match(turn.text) or pointing.HOW_MUCH.match(turn.text):
        return _continued_by(turn, "why" if pointing.WHY.match(turn.text) else plain)
    fragment = not pointing.VERB.search(plain) and len(asked_terms(plain)) <= _FRAGMENT_TERMS
    if re.match(r"(?i)(?:which|what|who|whose|how)\b(?:\W+\w+){3}", plain):
        return None  # a verb that is not among the auxiliaries
    if not fragment or details.asked(plain) or len(plain.split()) > 7 or questions.read(plain).kind == "list":
        return None
    if turn.near.belongs(turn.text, turn.last.papers[:1]) < ON_SUBJECT and asked_terms(plain):
        return None
    if thing := re.match(r"(?:the|a|an|any)\s+(?:\S+\s*){1,4}$", plain, re.IGNORECASE):
        verb = "are" if thing.group().rstrip().endswith("s") else "is"
        return with_subject(turn, f"What {verb} {plain}?", turn.last.papers[:1])
    return _continued_by(turn, plain)


def _continued_by(turn: Turn, what: str) -> StandAlone:
    stem = turn.last.root.rstrip(" ?.!")
    focus = main_paper(turn.last)
    filled = ((turn.text, stem),)
    alone = pointing.ASKS.search(what) is not None and asked_terms(what)  # "on which tasks": the stem would drown it
    asked = f"{capital(what)}?" if focus and alone else ""
    return StandAlone(f"{stem}: {what}?", focus, asked=asked, kind="continued", stem=f"{stem}?", filled=filled)
