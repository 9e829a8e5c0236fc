"""A draft checked against the library: which of its sentences do the papers carry?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from assistant import drafts
from assistant.answers import Finding
from assistant.library import Library
from assistant.verification import Verifier, verify
from assistant.verifying import CheckedClaim, check_against, check_claim


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence of a draft at `[start, end)`, judged against what it cites, or else against what a search finds."""

    text: str
    start: int
    end: int
    cited: tuple[str, ...]  # ids of the papers that its citations mean
    checked: CheckedClaim

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the claim's fields beside the sentence's."""
        place = {"text": self.text, "start": self.start, "end": self.end, "cited": list(self.cited)}
        return {**place, **self.checked.to_dict()}


def check_draft(library: Library, draft: str, *, verifier: Verifier = verify) -> Iterator[CheckedSentence]:
    """Judges each sentence of a draft that claims something: against the papers it cites, or, where it cites none,
    against what a search finds in the library (then `cited` is empty). A citation of nothing in the library is a finding."""
    for sentence in drafts.read(draft, library):
        if not sentence.claim:
            continue
        papers = [cited.paper for cited in sentence.citations if cited.paper]
        unknown = tuple(
            Finding("unknown_citation", f"{cited.written} is no paper of this library.")
            for cited in sentence.citations
            if cited.paper is None
        )
        if sentence.citations:
            checked = check_against(library, sentence.claim, papers, verifier=verifier)
        else:
            checked = check_claim(library, sentence.claim, verifier=verifier)
        checked = replace(checked, findings=(*unknown, *checked.findings))
        yield CheckedSentence(sentence.text, sentence.start, sentence.end, tuple(p.id for p in papers), checked)
