"""Everything Ibid raises on purpose.

    IbidError
    ├── InputError            a question, filter, setting or file that cannot be used
    │   ├── FilterError       an unknown filter key or a value that does not parse
    │   ├── SettingsError     a setting that is unknown or out of range
    │   └── SourceError       a file that is not a source of papers, or cannot be read
    ├── LibraryError          the library folder cannot serve the call
    │   ├── LibraryLocked     another process is writing
    │   ├── LibraryNotFound   no library where one was expected
    │   ├── SchemaMismatch    made by a newer Ibid
    │   ├── EmbedderMismatch  its vectors come from another embedder
    │   ├── DiskFull          no room to write; what was reported stored is there
    │   ├── IndexAway         the Chroma server does not answer; the library goes on without it
    │   └── NotInLibrary      no such paper, record or conversation
    └── ModelError            a chat or embedding model failed
        ├── ModelUnavailable  unreachable, stalled, or rate limited past the retry budget
        ├── ModelRefused      unauthorised, no such model, context too long
        └── ModelMalformed    its reply is not what the protocol says

A message says what happened, the offending value (`!r`) and what to do next, on one line.
"""

from __future__ import annotations


class IbidError(Exception):
    """Base of all errors raised on purpose; `str(error)` is one line fit for a user."""


class InputError(IbidError):
    """Something the caller gave cannot be used."""


class FilterError(InputError):
    """A filter key is unknown or its value does not parse."""


class SettingsError(InputError):
    """A setting is unknown or out of range."""


class SourceError(InputError):
    """A file is not a source of papers, or cannot be read."""


class LibraryError(IbidError):
    """The library folder cannot serve the call."""


class LibraryLocked(LibraryError):
    """Another process is writing to the library."""


class LibraryNotFound(LibraryError):
    """No library where one was expected."""


class SchemaMismatch(LibraryError):
    """The library was made by a newer Ibid."""


class EmbedderMismatch(LibraryError):
    """The library's vectors come from another embedder."""


class DiskFull(LibraryError):
    """There is no room for what was to be written; what was reported stored is there."""


class IndexAway(LibraryError):
    """The Chroma server that holds the vector index cannot be used now; the library itself can."""


class NotInLibrary(LibraryError):
    """No such paper, record or conversation."""


class ModelError(IbidError):
    """A chat or embedding model failed."""


class ModelUnavailable(ModelError):
    """The model is unreachable, stalled, or rate limited past the retry budget."""


class ModelRefused(ModelError):
    """The model's server refused the call: unauthorised, no such model, or context too long."""


class ModelMalformed(ModelError):
    """The model's reply is not what the protocol says."""
