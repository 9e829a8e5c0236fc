"""How the verifier judges sentences of abstracts after a change that keeps their meaning, and after one that breaks it.

    python -m benchmarks.verifier_faults [FILE...]     # files of papers; default: the bundled corpus

Each sentence is evidence; the claim is that sentence changed by a rule. Keeping rules should end `supported` (or
`quoted` in an answer), breaking rules anything else. The rules are mechanical, so these are bounds, not a user's rates.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from assistant import sentences
from assistant.cleaning import clean
from assistant.verification import verify
from ingest.records import Record
from ingest.sources import read

_BUNDLED = Path("ingest/corpus/huggingface-papers.txt")
_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w.,-]*\d)")
_WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:do|does|did|is|are|was|were|can|could|has|have) not\b|\bcannot\b", re.IGNORECASE)
_VERB = re.compile(r"\b(is|are|was|were|can|has|have)\b")
_CLAUSE = re.compile(r"(?:,|;)? (?:while|whereas|although|though|but) ")

Rule = Callable[[str], str | None]


def _changed(pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> Rule:
    def rule(text: str) -> str | None:
        found = pattern.search(text)
        return text[: found.start()] + by(found) + text[found.end() :] if found else None

    return rule


def _regrouped(found: re.Match[str]) -> str:
    plain = found.group().replace(",", "")
    return plain if "," in found.group() or "." in plain else f"{int(plain):,}"


def _other(found: re.Match[str]) -> str:
    plain = found.group().replace(",", "")
    return f"{float(plain) * 1.1 + 1:.1f}" if "." in plain else str(int(plain) + 3)


def _first_clause(text: str) -> str | None:
    parts = _CLAUSE.split(text)
    return f"{parts[0]}." if len(parts) > 1 and len(parts[0].split()) > 5 and not _NOT.search(parts[0]) else None


KEEPING: dict[str, Rule] = {
    "the sentence itself": lambda text: text,
    "thousands regrouped": _changed(_NUMBER, _regrouped),
    "percent sign escaped": lambda text: text.replace("%", "\\%") if "%" in text else None,
    "number word in digits": _changed(_WORD, lambda found: str(_WORDS[found.group().lower()])),
    "first clause alone": _first_clause,
}
BREAKING: dict[str, Rule] = {
    "number changed": _changed(_NUMBER, _other),
    "number word changed": _changed(_WORD, lambda found: str(_WORDS[found.group().lower()] + 3)),
    "negation removed": _changed(_NOT, lambda found: found.group().replace(" not", "").replace("not", "")),
    "negation added": lambda text: None if _NOT.search(text) else _changed(_VERB, lambda m: f"{m.group()} not")(text),
}


def evidence(files: list[Path]) -> Iterator[str]:
    """Sentences of at least six words, as a model would be shown them."""
    for file in files:
        for record in read(file, file.name):
            if isinstance(record, Record):
                abstract = clean(record.abstract).text
                spans = sentences.split(abstract)
                yield from (t for s in spans if len((t := abstract[s.start : s.end]).split()) >= 6)


def main(arguments: list[str]) -> None:
    texts = list(evidence([Path(name) for name in arguments] or [_BUNDLED]))
    print(f"{len(texts)} sentences")
    for kind, rules in (("keeping", KEEPING), ("breaking", BREAKING)):
        for name, rule in rules.items():
            pairs = [(claim, text) for text in texts if (claim := rule(text))]
            verdicts = Counter(verify(claim, [text]).verdict for claim, text in pairs)
            right = verdicts["supported"] if kind == "keeping" else len(pairs) - verdicts["supported"]
            print(f"{kind:9} {name:24} n={len(pairs):4} right={right / max(1, len(pairs)):.3f} {dict(verdicts)}")


if __name__ == "__main__":
    main(sys.argv[1:])
