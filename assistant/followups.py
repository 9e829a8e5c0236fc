"""Follow-up questions made stand-alone, by rules over wording and by what the question is nearest to.

Each way of leaning on the past is a function that recognises it or passes; the first that does decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from assistant import naming, pointing, questions, triage
from assistant.continued import continued, corrected, exchanged
from assistant.evidence import asked_terms
from assistant.pointed import back, described, of_these, pointed, restyled, restyles
from assistant.standalone import Exchange, StandAlone, Turn, capital, substituted, with_subject
from assistant.subject import ON_SUBJECT, Surroundings

__all__ = ["Exchange", "StandAlone", "rewrite"]

_MANY = {"one": 1, "a single": 1, "two": 2, "three": 3}
_SUBJECT_OF_ITS_OWN = 0.5  # below it, a pronoun whose noun may stand in the question itself is not the conversation's


def rewrite(question: str, history: Sequence[Exchange], near: Surroundings) -> StandAlone:
    """Makes a question of a conversation stand alone; without history, or with a subject of its own, it stays."""
    found = _rewritten(" ".join(question.split()), history, near)
    if found.sentences is None and (wanted := pointing.SENTENCES.search(question)):
        many = wanted.group("many").casefold()
        return replace(found, sentences=_MANY.get(many) or int(many))
    return found


def _rewritten(text: str, history: Sequence[Exchange], near: Surroundings) -> StandAlone:
    past = [exchange for exchange in history if exchange.papers]
    if not past or (triage.not_for_a_corpus(text) and not restyles(text)):
        return StandAlone(text)
    if elsewhere := pointing.NEW_TOPIC.match(text):
        return StandAlone(capital(elsewhere.group("rest")))
    turn = Turn(text, past, near)
    for way in _WAYS:
        if found := way(turn):
            return found
    return StandAlone(text, context=turn.last.papers[:2])


def _named(turn: Turn) -> StandAlone | None:
    """A question that calls one of the earlier papers by name, and points at nothing else."""
    names = turn.named(turn.text, turn.recent)
    if names and len(names) < len(turn.recent) and not pointing.refers(turn.text):
        return StandAlone(capital(turn.plain), names, kind="named")
    return None


def _elsewhere(turn: Turn) -> StandAlone | None:
    """A question that calls a paper by name which was not spoken of."""
    held = {word for paper in turn.recent for word in naming.words(f"{paper.title} {paper.abstract}")}
    rarity = turn.rarity()
    called = [
        naming.named(turn.text, paper, rarity) for paper in turn.near.ranked(turn.text) if paper not in turn.recent
    ]
    if all(name is None or name.words & held for name in called):
        return None
    if pointing.refers(turn.text) and not _bound(turn):
        return replace(substituted(turn, turn.plain, turn.last.papers[:1]), focus=())
    return StandAlone(capital(turn.plain))


def _reference(turn: Turn) -> StandAlone | None:
    """ "Its authors", "that paper", "do they …": what was said last, where the question itself has no noun for it."""
    if not pointing.refers(turn.text) or _bound(turn):
        return None
    both = pointing.SEVERAL.search(turn.text) is not None
    if both and len(turn.several) < 2 and not pointing.refers(pointing.SEVERAL.sub(" ", turn.text)):
        return None
    return substituted(turn, turn.plain, turn.several[:2] if both and len(turn.several) > 1 else turn.last.papers[:1])


def _bound(turn: Turn) -> bool:
    """Whether the question has a noun of its own for its pronoun: "negative prompts, when do they take effect?"."""
    places = [p.search(turn.plain) for p in (pointing.POSSESSIVE, pointing.THEIR, pointing.PRONOUN, pointing.THEY)]
    first = min((match.start() for match in places if match), default=0)
    before = turn.plain[:first]
    own = asked_terms(before)
    if pointing.OWN_NOUN.match(turn.plain):
        return True
    if len(own) < 2:
        return False
    if pointing.CLAUSE.search(before) or len(own) > 2:
        return turn.near.belongs(before, turn.last.papers[:1]) < _SUBJECT_OF_ITS_OWN
    return False


def _elliptical(turn: Turn) -> StandAlone | None:
    """A question with no subject of its own that is nearer to the last papers than to any other."""
    if questions.read(turn.text).kind == "list":
        return None
    papers = turn.last.papers
    held = {word for paper in papers for word in naming.words(f"{paper.title} {paper.abstract}")}
    if any(not held.intersection(naming.words(name)) for name in pointing.NAME.findall(turn.plain)):
        return None  # it names something that these papers don't speak of
    statistics = turn.near.statistics
    if len(asked := asked_terms(turn.plain)) > 1 and not any(statistics.df(term) for term in asked):
        return None
    bar = ON_SUBJECT / 2 if pointing.UNANCHORED.search(turn.text) else ON_SUBJECT
    if turn.near.belongs(turn.text, papers[:1]) >= bar:
        return with_subject(turn, turn.plain, papers[:1])
    if len(papers) > 1 and turn.near.belongs(turn.text, papers) >= ON_SUBJECT:
        return with_subject(turn, turn.plain, (turn.near.nearest(turn.text, papers),))
    return None


def _back(turn: Turn) -> StandAlone | None:
    return back(turn, lambda rest: rewrite(rest, turn.past, turn.near))


_WAYS: tuple[Callable[[Turn], StandAlone | None], ...] = (
    restyled,
    corrected,
    _back,
    of_these,
    pointed,
    described,
    exchanged,
    _named,
    _elsewhere,
    continued,
    _reference,
    _elliptical,
)
