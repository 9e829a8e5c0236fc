"""Evidence of made-up papers, for tests of what comes after retrieval."""

from __future__ import annotations

from dataclasses import replace

from assistant import questions
from assistant.evidence import Evidence
from assistant.gathering import gather
from assistant.library import Library
from assistant.papers import Paper
from assistant.retrieval import Retriever


def found(library: Library, question: str) -> Evidence:
    """What the engine would gather."""
    ranked = Retriever(library).ranked(question, 10)
    return gather(library, questions.read(question), papers=8, ranked=ranked)


def made(like: Evidence, *papers: tuple[str, list[str]]) -> Evidence:
    """Evidence of (title, sentences) with scores that fall in the order given; the rest is as in `like`."""
    paper_like = next(paper for paper in like.papers if paper.sentences)
    sentence_like, score, measured = paper_like.sentences[0], 1.0, []
    for number, (title, texts) in enumerate(papers):
        paper = Paper(f"title:{number}", title, "\n".join(texts))
        sentences, start = [], 0
        for ordinal, text in enumerate(texts):
            sentence = replace(sentence_like, paper=paper, passage_id=f"{paper.id}#0", ordinal=ordinal, of=len(texts))
            sentences.append(replace(sentence, start=start, end=start + len(text), text=text, score=score))
            start += len(text) + 1
            score *= 0.99
        measured.append(replace(paper_like, paper=paper, rank=number + 1, named=None, sentences=tuple(sentences)))
    return replace(like, question=questions.read("What is shown?"), papers=tuple(measured), sides=())
