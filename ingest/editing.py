"""The user's own word on a paper: fields, tags and a note that win over every source until they are reset."""

from __future__ import annotations

from assistant.editing import Changes, Edits, changed, edited
from assistant.identity import normalise_arxiv, normalise_doi
from assistant.library import Library, StoredPaper
from assistant.papers import Paper
from ingest.adding import embedded_passages


def edit(library: Library, reference: str, changes: Changes) -> Paper:
    """Changes the paper that `reference` names and gives it as it is now; a new title or abstract is embedded.

    Raises NotInLibrary, InputError for a field that cannot be what was asked, LibraryLocked.
    """
    with library.writing("editing a paper"):
        before = library.paper(reference)
        sourced = library.editions.sourced([before.id])[before.id]
        edits = changed(library.editions.edits([before.id]).get(before.id, Edits()), changes, sourced)
        after = edited(sourced, edits)
        if after == before and not changes.reset and not changes.reset_all:
            return after
        retold = (after.title, after.abstract) != (before.title, before.abstract)
        embedded = embedded_passages(library, [after])[after.id] if retold else (None, None)
        names = {("doi", normalise_doi(after.doi)), ("arxiv", normalise_arxiv(after.arxiv_id))}
        library.write(
            [
                StoredPaper(
                    paper=after,
                    passages=embedded[0],
                    vectors=embedded[1],
                    identifiers=tuple((scheme, value) for scheme, value in names if value),
                    edits=edits,
                    sourced=sourced,
                )
            ]
        )
    return after
