"""One sync: each source's parts that changed are read, their papers decided about and stored, what is gone is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from assistant.errors import SourceError
from assistant.library import Library
from ingest.adding import BATCH, Run
from ingest.online import arxiv, dois
from ingest.online.client import Client, Pace
from ingest.records import Record, Rejected
from ingest.report import Progress
from ingest.syncing import addresses, zotero
from ingest.syncing.addresses import Address, Part
from ingest.syncing.telling import SourceReport, SyncReport

_CACHE: Final = "cache"
_ZOTERO: Final = "Zotero"
_MOST: Final = 1000  # papers of an arXiv query, unless told otherwise


@dataclass(frozen=True, slots=True)
class Services:
    """Where the services are; only tests have others."""

    zotero: str = zotero.ADDRESS
    arxiv: str = arxiv.ADDRESS
    registries: Mapping[dois.Registry, str] = field(default_factory=lambda: dict(dois.ADDRESSES))
    sleep: Callable[[float], None] = time.sleep


def sync(
    library: Library,
    *sources: str,
    prune: bool = False,
    dry: bool = False,
    online: bool = False,
    contact: str | None = None,
    most: int | None = None,
    refresh: bool = False,
    progress: Callable[[Progress], None] | None = None,
    services: Services | None = None,
) -> SyncReport:
    """Brings what changed in `sources`, or in every remembered source, into `library`, and remembers them.

    A source on the internet is only asked when it is named here or `online` is set; `contact` is an address that its
    service may write to, `refresh` asks anew what the cache still holds. With `prune` papers that a source
    brought and no longer has are removed, unless another source has them, they were added by hand, or the user wrote
    to them. `dry` changes nothing. A source that cannot be read is told of in the report and costs nothing else.

    Raises SourceError for an address that is none, and what `ingest.add` raises.
    """
    remembered = {summary.address: summary.options for summary in library.sources.all()}
    named = [addresses.parsed(source) for source in sources]
    wanted = list(dict.fromkeys(named)) or [_recalled(address) for address in remembered]
    if not wanted:
        raise SourceError("no source is remembered yet; name one, e.g. ibid sync refs.bib")
    left_out = [address for address in wanted if address.online and address not in named and not online]
    reports = []
    for address in wanted:
        if address in left_out:
            continue
        options = {**remembered.get(address.text, {}), **({"most": most} if most else {})}
        asking = _Asking(library.path / _CACHE, contact, options, refresh, services or Services())
        with nullcontext() if dry else library.writing(f"syncing with {address.text}"):
            reports.append(_Syncing(library, address, asking, prune, dry, progress).run())
    return SyncReport(tuple(reports), dry, tuple(address.text for address in left_out))


def _recalled(text: str) -> Address:
    """A remembered address, whose file may be gone by now: that is told when it is read."""
    try:
        return addresses.parsed(text)
    except SourceError:
        return Address(text, "file", text)


@dataclass(frozen=True, slots=True)
class _Asking:
    """What reading a source over HTTP needs to know."""

    cache: Path
    contact: str | None
    options: Mapping[str, Any]
    refresh: bool
    services: Services

    def client(
        self, service: str, pace: Pace, fresh_s: float = 0.0, headers: Mapping[str, str] | None = None
    ) -> Client:
        return Client(
            service,
            pace,
            contact=self.contact,
            cache=self.cache,
            fresh_s=0.0 if self.refresh else fresh_s,
            headers=headers,
            local=service == _ZOTERO,
            sleep=self.services.sleep,
        )


class _Syncing:
    """One source being gone through."""

    def __init__(
        self,
        library: Library,
        address: Address,
        asking: _Asking,
        prune: bool,
        dry: bool,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._library = library
        self._address = address
        self._asking = asking
        self._prune = prune
        self._dry = dry
        self._run = Run(library, None, progress, dry=dry)
        self._held = library.sources.held(address.text)
        self._met: dict[str, set[str]] = {}  # by part, of those read now
        self._states: dict[str, str | None] = {}
        self._skipped: list[str] = []
        self._emptied: list[str] = []

    def run(self) -> SourceReport:
        began, failed = time.monotonic(), None
        if not self._dry:
            self._library.sources.remember(self._address.text, self._asking.options)
        before = self._library.sources.states(self._address.text)
        with ExitStack() as stack:
            try:
                for part in self._parts(stack):
                    self._read(part, before)
            except SourceError as error:
                failed = str(error)
        if self._emptied and failed is None:
            failed = f"nothing in {self._emptied[0] or self._address.text!r} is a paper any more; nothing was pruned"
        gone = self._gone(before) if failed is None else ()
        prunable = self._library.sources.prunable(gone, self._address.text) if self._prune else set()
        pruned = tuple(id_ for id_ in gone if id_ in prunable)
        if not self._dry:
            if failed is None:
                self._settle(before, pruned)
            self._library.sources.synced(self._address.text)
        report = self._run.report(time.monotonic() - began)
        return SourceReport(self._address.text, report, len(self._skipped), gone, pruned, failed)

    def _read(self, part: Part, before: Mapping[str, str | None]) -> None:
        """Reads a part unless it is as it was; to prune, everything is read again."""
        self._states[part.name] = part.state
        if part.state is not None and before.get(part.name) == part.state and not self._prune:
            self._skipped.append(part.name)
            return
        met = self._met.setdefault(part.name, set())
        items = iter(part.read())
        while batch := list(islice(items, BATCH)):
            found = self._run.take(batch)
            ids = [one.paper_id for one in found]
            met.update(ids)
            if not self._dry and ids:
                new = [one.paper_id for one in found if one.outcome == "added"]
                self._library.sources.hold(self._address.text, part.name, ids, new)
        if self._held.get(part.name) and not met:
            self._emptied.append(part.name)

    def _gone(self, before: Mapping[str, str | None]) -> tuple[str, ...]:
        """Papers of parts read now, or no longer there, that no part of the source holds."""
        still = set().union(*self._met.values(), *(self._held.get(name, set()) for name in self._skipped))
        changed = [name for name in before if name not in self._skipped]
        return tuple(sorted(set().union(*(self._held.get(name, set()) for name in changed)) - still))

    def _settle(self, before: Mapping[str, str | None], pruned: Sequence[str]) -> None:
        """What is gone is forgotten only when it was to be pruned: else a later `--prune` would not know of it."""
        if pruned:
            self._library.remove(pruned)
        for name, met in self._met.items():
            ids = met if self._prune else met | self._held.get(name, set())
            self._library.sources.finish(self._address.text, name, self._states[name], ids)
        if self._prune:
            self._library.sources.drop(self._address.text, [name for name in before if name not in self._states])

    def _parts(self, stack: ExitStack) -> Iterator[Part]:
        kind = self._address.kind
        if kind in ("file", "folder", "zotero-file"):
            yield from addresses.parts(self._address, self._library.path)
            return
        if kind == "zotero":
            client = self._asking.client(_ZOTERO, zotero.PACE, headers=zotero.HEADERS)
            stack.callback(client.close)
            yield from self._zotero(client)
            return
        yield Part("", None, self._online(stack))

    def _zotero(self, client: Client) -> Iterator[Part]:
        """The libraries that the address stands for, a part each; one that it names outright is the part without a name."""
        address, value = self._asking.services.zotero, self._address.value
        every = value == zotero.GROUPS
        for one in zotero.groups(client, address) if every else [value]:
            state = zotero.version(client, address, one)
            yield Part(one if every else "", state, partial(zotero.from_api, client, address, one))

    def _online(self, stack: ExitStack) -> Callable[[], Iterator[Record | Rejected]]:
        kind, services, asking = self._address.kind, self._asking.services, self._asking
        if kind == "arxiv":
            client = asking.client("arXiv", arxiv.PACE, arxiv.FRESH_S)
            stack.callback(client.close)
            most = int(asking.options.get("most", _MOST))
            return lambda: arxiv.query(client, services.arxiv, self._address.value, most)
        order: dict[str, tuple[dois.Registry, ...]] = {"crossref": ("crossref",), "openalex": ("openalex",)}
        registries = []
        for registry in order.get(kind, ("crossref", "openalex")):
            client = asking.client(registry.capitalize(), dois.PACE, dois.FRESH_S)
            stack.callback(client.close)
            registries.append((registry, services.registries[registry], client))
        wanted = addresses.dois(self._address)
        return lambda: dois.look_up(registries, wanted, asking.contact)
