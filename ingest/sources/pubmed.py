"""PubMed XML: articles and book chapters as E-utilities and the yearly files give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element

from ingest.detailing import page_range
from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.text import Text
from ingest.sources.xml_stream import child, records, root, spoken

NAME: Final = "pubmed"
SUFFIXES: Final = (".xml",)
_RECORDS: Final = frozenset({"PubmedArticle", "PubmedBookArticle"})
_ROOTS: Final = {"PubmedArticleSet", "PubmedArticle", "PubmedBookArticleSet", "PubmedBookArticle"}
_NOTICES: Final = {
    "RetractionIn": "retracted",
    "PartialRetractionIn": "partly retracted",
    "ExpressionOfConcernIn": "expression of concern",
    "ErratumIn": "corrected",
    "CorrectedandRepublishedIn": "corrected",
    "RetractionOf": "is the retraction of",
}


def matches(sample: str, name: str) -> bool:
    """XML whose outermost element is one of PubMed's."""
    return root(sample) in _ROOTS


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every article; its retractions, concerns and corrections are its notices."""
    found = False
    for item in records(text, name, _RECORDS):
        found = True
        if isinstance(item, Rejected):
            yield item
        else:
            yield record(_fields(item.element), f"{name}:{item.line}", f"{NAME}:{name}")
    if not found:
        yield Rejected(name, "no articles inside")


def _fields(element: Element) -> dict[str, object]:
    citation = element.find("MedlineCitation")
    citation = citation if citation is not None else element.find("BookDocument")
    article = citation.find("Article") if citation is not None else None
    article = article if article is not None else citation
    if citation is None or article is None:
        return {}
    identifiers = {part.get("IdType"): spoken(part).strip() for part in element.findall(".//ArticleIdList/ArticleId")}
    own = element.find("PubmedData/ArticleIdList")
    if own is not None:  # references of the article list ids of other papers further in
        identifiers = {part.get("IdType"): spoken(part).strip() for part in own.findall("ArticleId")}
    located = {part.get("EIdType"): spoken(part).strip() for part in article.findall("ELocationID")}
    pmid = child(citation, "PMID")
    return {
        "title": child(article, "ArticleTitle") or child(article, "VernacularTitle") or child(article, "BookTitle"),
        "abstract": _abstract(article.find("Abstract")) or _abstract(citation.find("OtherAbstract")),
        "authors": [named for author in article.findall("AuthorList/Author") if (named := _author(author))],
        "year": child(article, "Journal/JournalIssue/PubDate") or child(article, "ArticleDate/Year")
        or child(article, "Book/PubDate/Year") or child(article, "ContributionDate/Year"),
        "venue": child(article, "Journal/Title") or child(article, "Book/BookTitle"),
        "doi": identifiers.get("doi") or located.get("doi"),
        "pmid": pmid,
        "pmc": identifiers.get("pmc"),
        "url": f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" if pmid.isdigit() else "",
        "tags": [spoken(part).strip() for part in citation.findall("KeywordList/Keyword")]
        or [child(part, "DescriptorName") for part in citation.findall("MeshHeadingList/MeshHeading")],
        "notices": _notices(citation, article),
        "details": _details(citation, article, located),
    }  # fmt: skip


def _details(citation: Element, article: Element, located: Mapping[str | None, str]) -> dict[str, object]:
    journal, book = article.find("Journal"), article.find("Book")
    types = [spoken(part).strip() for part in article.findall("PublicationTypeList/PublicationType")]
    kind = "chapter" if child(article, "ArticleTitle") else "book"
    start, end = child(article, "Pagination/StartPage"), child(article, "Pagination/EndPage")
    return {
        "type": kind if book is not None else "article" if "Preprint" in types else "article-journal",
        "volume": child(journal, "JournalIssue/Volume") or child(book, "Volume"),
        "issue": child(journal, "JournalIssue/Issue"),
        "page": page_range(start, end) or child(article, "Pagination/MedlinePgn") or located.get("pii", ""),
        "ISSN": f"{child(journal, 'ISSN')} {child(citation, 'MedlineJournalInfo/ISSNLinking')}",
        "ISBN": child(book, "Isbn"),
        "container-title-short": child(journal, "ISOAbbreviation") or child(citation, "MedlineJournalInfo/MedlineTA"),
        "publisher": child(book, "Publisher/PublisherName"),
        "publisher-place": child(book, "Publisher/PublisherLocation"),
        "edition": child(book, "Edition"),
        "language": child(article, "Language"),
        "month": child(journal, "JournalIssue/PubDate/Month") or child(book, "PubDate/Month"),
        "day": child(journal, "JournalIssue/PubDate/Day") or child(book, "PubDate/Day"),
        "date": child(journal, "JournalIssue/PubDate/MedlineDate"),
    }


def _abstract(abstract: Element | None) -> str:
    """The sections one a paragraph, each after its label."""
    if abstract is None:
        return ""
    parts = []
    for part in abstract.findall("AbstractText"):
        text, label = " ".join(spoken(part).split()), (part.get("Label") or "").strip()
        if text:
            parts.append(f"{label}: {text}" if label and label.upper() != "UNLABELLED" else text)
    return "\n\n".join(parts)


def _author(author: Element) -> str:
    family = child(author, "LastName")
    given = child(author, "ForeName") or child(author, "Initials")
    suffix = child(author, "Suffix")
    if family:
        return " ".join(part for part in (given, family, suffix) if part)
    return child(author, "CollectiveName")


def _notices(citation: Element, article: Element) -> list[str]:
    notices = []
    for part in citation.findall("CommentsCorrectionsList/CommentsCorrections"):
        if kind := _NOTICES.get(part.get("RefType") or ""):
            pmid = child(part, "PMID")
            told = " ".join(child(part, "RefSource").split())
            joined = "" if kind.startswith("is the") else ":"
            notices.append(f"{kind}{joined} {told}" + (f" (PMID {pmid})" if pmid else ""))
    types = [spoken(part).strip() for part in article.findall("PublicationTypeList/PublicationType")]
    if "Retracted Publication" in types and not any("retracted" in notice for notice in notices):
        notices.insert(0, "retracted")
    return notices
