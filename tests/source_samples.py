"""One made text of each format, as its service or program writes it; every one holds `PAPERS` papers with abstracts."""

from __future__ import annotations

import json
from typing import Any, Final

PAPERS: Final = 2

TITLE: Final = "Deep Nets for Shallow Lakes"
ABSTRACT: Final = "We measure lakes with deep nets. The error falls by 12% on two data sets."
OTHER_TITLE: Final = "Lakes Without Nets"
OTHER_ABSTRACT: Final = "A survey of lakes that were measured by hand. It finds no difference."

ATOM: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">
  <title>ArXiv Query</title><id>http://arxiv.org/api/x</id>
  <entry><id>http://arxiv.org/abs/2001.01234v2</id><published>2020-01-05T00:00:00Z</published>
    <updated>2021-02-01T00:00:00Z</updated><title>Deep Nets for
  Shallow Lakes</title><summary>  We measure lakes with deep
nets. The error falls by 12% on two data sets.
</summary><author><name>Jörg Müller</name></author><author><name>Ann Lee</name></author>
    <arxiv:comment>This paper has been withdrawn by the authors</arxiv:comment>
    <arxiv:journal_ref>Lake J. 3 (2021)</arxiv:journal_ref><arxiv:doi>10.1000/lakes.1</arxiv:doi>
    <link href="http://arxiv.org/abs/2001.01234v2" rel="alternate" type="text/html"/>
    <arxiv:primary_category term="cs.LG"/><category term="cs.LG"/><category term="stat.ML"/></entry>
  <entry><id>http://arxiv.org/abs/hep-th/9901001v1</id><published>1999-01-01T00:00:00Z</published>
    <title>{OTHER_TITLE}</title><summary>{OTHER_ABSTRACT}</summary><author><name>Bo Ek</name></author>
    <category term="hep-th"/></entry>
</feed>
"""

PUBMED_XML: Final = f"""<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2019//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_190101.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="1">12345678</PMID>
<Article><Journal><JournalIssue><PubDate><Year>2019</Year><Month>Jan</Month></PubDate></JournalIssue><Title>Lake Journal</Title></Journal>
<ArticleTitle>Deep Nets for <i>Shallow</i> Lakes</ArticleTitle>
<ELocationID EIdType="doi" ValidYN="Y">10.1000/Lakes.1</ELocationID>
<Abstract><AbstractText Label="AIM">We measure lakes.</AbstractText><AbstractText Label="RESULTS">The error falls by 12<sup>2</sup>%.</AbstractText></Abstract>
<AuthorList><Author><LastName>Müller</LastName><ForeName>Jörg</ForeName><Initials>J</Initials></Author><Author><CollectiveName>Lake Group</CollectiveName></Author></AuthorList>
<PublicationTypeList><PublicationType UI="D016441">Retracted Publication</PublicationType></PublicationTypeList></Article>
<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>Lake J. 2020;4:1</RefSource><PMID>22222222</PMID></CommentsCorrections></CommentsCorrectionsList>
<MeshHeadingList><MeshHeading><DescriptorName>Lakes</DescriptorName></MeshHeading></MeshHeadingList></MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="pubmed">12345678</ArticleId><ArticleId IdType="pmc">PMC7654321</ArticleId></ArticleIdList>
<ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.9999/cited</ArticleId></ArticleIdList></Reference></ReferenceList></PubmedData></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID>2</PMID><Article><Journal><Title>Hand Journal</Title><JournalIssue><PubDate><MedlineDate>1998 Nov-Dec</MedlineDate></PubDate></JournalIssue></Journal>
<ArticleTitle>{OTHER_TITLE}</ArticleTitle><Abstract><AbstractText>{OTHER_ABSTRACT}</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>
</PubmedArticleSet>
"""

ENDNOTE_XML: Final = f"""<?xml version="1.0" encoding="UTF-8" ?><xml><records><record><database name="L.enl">L.enl</database>
<source-app name="EndNote" version="20.0">EndNote</source-app><rec-number>7</rec-number><ref-type name="Journal Article">17</ref-type>
<contributors><authors><author><style face="normal">Müller, Jörg</style></author><author><style>Lee, Ann</style></author></authors></contributors>
<titles><title><style face="normal">Deep Nets for </style><style face="italic">Shallow</style><style> Lakes</style></title><secondary-title><style>Lake Journal</style></secondary-title></titles>
<keywords><keyword><style>lakes</style></keyword></keywords><dates><year><style>2019</style></year></dates>
<abstract><style>{ABSTRACT}</style></abstract><label><style>mueller2019</style></label><accession-num><style>12345678</style></accession-num>
<electronic-resource-num><style>10.1000/lakes.1</style></electronic-resource-num><urls><related-urls><url><style>https://example.org/l</style></url></related-urls></urls>
<remote-database-name><style>PubMed</style></remote-database-name></record>
<record><rec-number>8</rec-number><titles><title>{OTHER_TITLE}</title></titles><abstract>{OTHER_ABSTRACT}</abstract></record></records></xml>
"""

ACL_XML: Final = f"""<?xml version='1.0' encoding='UTF-8'?>
<collection id="2020.acl"><volume id="main" ingest-date="2020-06-21"><meta><booktitle>Proceedings of the 58th Meeting</booktitle><year>2020</year></meta>
<frontmatter><url>2020.acl-main.0</url></frontmatter>
<paper id="1"><title>Deep Nets for <fixed-case>S</fixed-case>hallow Lakes</title><author><first>Jörg</first><last>Müller</last></author>
<abstract>{ABSTRACT}</abstract><url hash="ab">2020.acl-main.1</url><doi>10.18653/v1/2020.acl-main.1</doi><bibkey>muller-2020-deep</bibkey><retracted date="2021-01-01">Made-up data.</retracted></paper>
<paper id="2"><title>{OTHER_TITLE}</title><author><first>Bo</first><last>Ek</last></author><abstract>{OTHER_ABSTRACT}</abstract></paper></volume></collection>
"""

RIS: Final = f"""TY  - JOUR
AU  - Müller, Jörg
AU  - Lee, Ann
TI  - {TITLE}
T2  - Lake Journal
PY  - 2019
DO  - 10.1000/lakes.1
KW  - lakes
ID  - mueller2019
M3  - Retracted Publication
AB  - We measure lakes with deep nets.
The error falls by 12% on two data sets.
ER  -

TY  - JOUR
T1  - {OTHER_TITLE}
A1  - Ek B.
Y1  - 1998/11//
N2  - {OTHER_ABSTRACT}
ER  -
"""

NBIB: Final = f"""
PMID- 12345678
OWN - NLM
TI  - Deep Nets for
      Shallow Lakes
LID - 10.1000/lakes.1 [doi]
AB  - We measure lakes with deep nets. The error falls
      by 12% on two data sets.
FAU - Müller, Jörg
AU  - Müller J
FAU - Lee, Ann
AU  - Lee A
PT  - Journal Article
PT  - Retracted Publication
RIN - Lake J. 2020 Jan;4(1):1. doi: 10.1000/lakes.2. PMID:
      22222222
DP  - 2019 Jan 5
JT  - Lake Journal
MH  - Lakes
PMC - PMC7654321

PMID- 2
TI  - {OTHER_TITLE}
AB  - {OTHER_ABSTRACT}
AU  - Ek BC
DP  - 1998
"""

WOS: Final = f"""FN Clarivate Analytics Web of Science
VR 1.0
PT J
AU Muller, J
   Lee, A
AF Müller, Jörg
   Lee, Ann
TI Deep Nets for
   Shallow Lakes
SO LAKE JOURNAL
DT Article; Retracted Publication
DE lakes; nets
AB We measure lakes with deep nets. The error falls by 12% on
   two data sets.
PY 2019
DI 10.1000/lakes.1
WC Limnology; Computer Science
UT WOS:000123456789012
PM 12345678
ER

PT J
AU Ek, BC
TI {OTHER_TITLE}
AB {OTHER_ABSTRACT}
ER
EF
"""

REFER: Final = f"""%0 Journal Article
%T {TITLE}
%A Müller, Jörg
%A Lee, Ann
%J Lake Journal
%D 2019
%R 10.1000/lakes.1
%K lakes
%K nets
%F mueller2019
%X We measure lakes with deep nets.
The error falls by 12% on two data sets.

%0 Conference Proceedings
%T {OTHER_TITLE}
%A Ek, Bo
%S Proceedings of Hands
%X {OTHER_ABSTRACT}
"""

BIBTEX: Final = f"""% Encoding: UTF-8
@string{{lj = {{Lake Journal}}}}
@comment{{jabref-meta: databaseType:bibtex;}}
@article{{mueller2019, author = {{M{{\\"u}}ller, J{{\\"o}}rg and Lee, Ann}}, title = {{{{Deep {{N}}ets for Shallow Lakes}}}},
  journal = lj # " A", year = 2019, month = jan, doi = {{10.1000/lakes.1}}, abstract = {{{ABSTRACT}}},
  file = {{:papers/a.pdf:PDF}}, keywords = {{lakes, nets}}, mendeley-groups = {{x}}}}
@inproceedings{{ek1998, crossref = {{hands}}, author = {{Ek, Bo}}, title = {{{OTHER_TITLE}}}, abstract = {{{OTHER_ABSTRACT}}}}}
"""

ZOTERO_CSV: Final = f'''"Key","Item Type","Publication Year","Author","Title","Publication Title","DOI","Url","Abstract Note","Manual Tags","Automatic Tags"
"ABCD2345","journalArticle","2019","Müller, Jörg; Lee, Ann","{TITLE}","Lake Journal","10.1000/lakes.1","https://e.org","{ABSTRACT}","mine","lakes; nets"
"EFGH2345","journalArticle","1998","Ek, Bo","{OTHER_TITLE}","","","","{OTHER_ABSTRACT}","",""
'''

SCOPUS_CSV: Final = f'''"Authors","Author full names","Title","Year","Source title","DOI","Link","Abstract","Author Keywords","Document Type","PubMed ID","EID"
"Müller J.; Lee A.","Müller, Jörg (57100000001); Lee, Ann (57100000002)","{TITLE}","2019","Lake Journal","10.1000/lakes.1","https://www.scopus.com/x","{ABSTRACT}","lakes; nets","Retracted","12345678","2-s2.0-1"
"Ek B.","Ek, Bo (57100000003)","{OTHER_TITLE}","1998","","","","{OTHER_ABSTRACT}","","Article","","2-s2.0-2"
'''

IDENTIFIERS: Final = (
    "# to read\nDOI\n10.1000/lakes.1\nhttps://doi.org/10.1000/X\narXiv:2001.01234v2\nhep-th/9901001\npmid: 12345\n"
)

OPENALEX_WORK: Final[dict[str, Any]] = {
    "id": "https://openalex.org/W2741809807",
    "doi": "https://doi.org/10.1000/lakes.1",
    "display_name": TITLE,
    "title": TITLE,
    "publication_year": 2019,
    "ids": {"pmid": "https://pubmed.ncbi.nlm.nih.gov/12345678", "mag": "2741809807"},
    "primary_location": {
        "landing_page_url": "https://doi.org/10.1000/lakes.1",
        "source": {"display_name": "Lake Journal"},
    },
    "locations": [{"landing_page_url": "https://arxiv.org/abs/2001.01234"}],
    "authorships": [{"author": {"display_name": "Jörg Müller"}}, {"author": {"display_name": "Ann Lee"}}],
    "is_retracted": True,
    "keywords": [{"display_name": "lakes"}],
    "primary_topic": {"field": {"display_name": "Environmental Science"}},
    "abstract_inverted_index": {"We": [0], "measure": [1], "lakes.": [2]},
}
SEMANTIC_SCHOLAR_PAPER: Final[dict[str, Any]] = {
    "paperId": "649def34f8be52c8b66281af98ae884c09aef38b",
    "corpusId": 12345,
    "externalIds": {"DOI": "10.1000/lakes.1", "ArXiv": "2001.01234", "PubMed": "12345678", "ACL": "2020.acl-main.1"},
    "title": TITLE,
    "abstract": ABSTRACT,
    "venue": "Lakes",
    "journal": {"name": "Lake Journal", "volume": "3"},
    "year": 2019,
    "authors": [{"authorId": "1", "name": "Jörg Müller"}, {"authorId": "2", "name": "Ann Lee"}],
    "s2FieldsOfStudy": [{"category": "Environmental Science", "source": "s2"}],
}
CROSSREF_WORK: Final[dict[str, Any]] = {
    "DOI": "10.1000/lakes.1",
    "URL": "https://doi.org/10.1000/lakes.1",
    "publisher": "Lake Press",
    "title": ["Deep Nets"],
    "subtitle": ["for <i>Shallow</i> Lakes"],
    "author": [
        {"given": "Jörg", "family": "Müller", "sequence": "first"},
        {"name": "Lake Group", "sequence": "additional"},
    ],
    "issued": {"date-parts": [[2019, 1]]},
    "container-title": ["Lakes &amp; Rivers"],
    "abstract": "<jats:title>Abstract</jats:title><jats:sec><jats:title>Aim</jats:title><jats:p>We measure lakes.</jats:p></jats:sec><jats:p>It works &lt; 2.</jats:p>",
    "updated-by": [{"type": "retraction", "DOI": "10.1000/lakes.2", "label": "Retraction"}],
}
CSL_ITEM: Final[dict[str, Any]] = {
    "id": "mueller2019",
    "type": "article-journal",
    "title": 'Deep <span class="nocase">Nets</span> for Shallow Lakes',
    "author": [{"family": "Berg", "given": "Anna", "non-dropping-particle": "van der"}, {"literal": "Lake Group"}],
    "issued": {"date-parts": [["2019", 1, 5]]},
    "container-title": "Lake Journal",
    "DOI": "10.1000/lakes.1",
    "abstract": ABSTRACT,
    "note": "PMID: 12345678\narXiv: 2001.01234",
}
ARXIV_LINE: Final[dict[str, Any]] = {
    "id": "2001.01234",
    "submitter": "J. M.",
    "authors": 'J. M\\"uller, A. Lee',
    "title": "Deep Nets for\n  Shallow Lakes",
    "comments": None,
    "journal-ref": None,
    "doi": None,
    "categories": "cs.LG stat.ML",
    "abstract": "  We measure lakes with deep\nnets. The error falls by 12% on two data sets.\n",
    "versions": [{"version": "v1", "created": "Sun, 5 Jan 2020 00:00:00 GMT"}],
    "update_date": "2023-01-01",
    "authors_parsed": [["Müller", "J.", ""], ["Lee", "A.", ""]],
}
HUGGING_FACE: Final[dict[str, Any]] = {
    "paper": {
        "id": "2001.01234",
        "authors": [{"_id": "1", "name": "Jörg Müller", "hidden": False}],
        "publishedAt": "2020-01-05T00:00:00.000Z",
        "title": TITLE,
        "summary": "We measure lakes with deep\nnets.",
        "upvotes": 3,
        "ai_keywords": ["lakes"],
    },
    "title": TITLE,
    "summary": "We measure lakes",
    "numComments": 1,
}
ZOTERO_ITEM: Final[dict[str, Any]] = {
    "key": "ABCD2345",
    "version": 3,
    "data": {
        "key": "ABCD2345",
        "itemType": "journalArticle",
        "title": TITLE,
        "creators": [
            {"creatorType": "author", "firstName": "Jörg", "lastName": "Müller"},
            {"creatorType": "editor", "name": "Nobody"},
        ],
        "abstractNote": ABSTRACT,
        "date": "2019-01-05",
        "DOI": "10.1000/lakes.1",
        "extra": "PMID: 12345678",
        "tags": [{"tag": "lakes"}],
    },
}


def _two(paper: dict[str, Any], **wrapped: Any) -> list[dict[str, Any]]:
    return [paper, {"title": OTHER_TITLE, "abstract": OTHER_ABSTRACT, **wrapped}]


SAMPLES: Final[dict[str, tuple[str, str]]] = {  # by what is written: the format's name, and the text
    "atom": ("atom", ATOM),
    "pubmed xml": ("pubmed", PUBMED_XML),
    "endnote xml": ("endnote-xml", ENDNOTE_XML),
    "acl xml": ("acl-xml", ACL_XML),
    "ris": ("ris", RIS),
    "nbib": ("nbib", NBIB),
    "wos": ("wos", WOS),
    "refer": ("refer", REFER),
    "bibtex": ("bibtex", BIBTEX),
    "zotero csv": ("table", ZOTERO_CSV),
    "scopus csv": ("table", SCOPUS_CSV),
    "openalex page": ("json", json.dumps({"meta": {"count": 2}, "results": _two(OPENALEX_WORK), "group_by": []})),
    "semantic scholar page": ("json", json.dumps({"total": 2, "offset": 0, "data": _two(SEMANTIC_SCHOLAR_PAPER)})),
    "crossref list": ("json", json.dumps({"status": "ok", "message-type": "work-list", "message": {"items": _two(CROSSREF_WORK), "total-results": 2}})),
    "csl": ("json", json.dumps(_two(CSL_ITEM), indent=2)),
    "arxiv snapshot": ("json", "\n".join(map(json.dumps, _two(ARXIV_LINE)))),
    "hugging face": ("json", json.dumps(_two(HUGGING_FACE))),
    "zotero json": ("json", json.dumps(_two(ZOTERO_ITEM))),
}  # fmt: skip
