"""Any system that speaks OpenAI's chat completions: it is sent the turns, and its reply is read as text with `[n]`.

Sources are taken from the first of these that the reply holds: a list named `citations`, `sources` or `references` at the
top, in the choice, in its message, or in the message's `context`; entries are strings or objects with a title or
name, optionally a quote, `start` and `end`. A reply by Ibid itself holds its whole answer under `ibid`. Refusals are
recognised by `ibid.status` or by their wording (`evals.baselines.parsing.declines`).
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.errors import ModelMalformed, ModelRefused, ModelUnavailable
from assistant.papers import Paper
from evals.baselines.parsing import cited, declines, sentences
from evals.cases import Case
from evals.responses import Cited, Corpus, Response, Said, Usage

if TYPE_CHECKING:
    from evals.baselines import Options

_MOST_BYTES = 8 * 1024 * 1024
_LISTS = ("citations", "sources", "references")


@dataclass(frozen=True, slots=True)
class Reply:
    """A completion: its text, everything it came with, and what it used."""

    text: str
    body: Mapping[str, Any]
    usage: Usage


def complete(options: Options, messages: Sequence[Mapping[str, str]]) -> Reply:
    """One chat completion at temperature 0. Raises ModelUnavailable, ModelRefused or ModelMalformed."""
    body = json.dumps({"model": options.model, "messages": list(messages), "temperature": 0, "stream": False})
    headers = {"Content-Type": "application/json"}
    if options.api_key:
        headers["Authorization"] = f"Bearer {options.api_key}"
    url = f"{(options.base_url or '').rstrip('/')}/chat/completions"
    request = urllib.request.Request(url, body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=options.timeout_s) as response:
            content = response.read(_MOST_BYTES)
    except urllib.error.HTTPError as error:
        kind = ModelUnavailable if error.code == 429 or error.code >= 500 else ModelRefused
        raise kind(f"{url} answered {error.code} for model {options.model!r}; look at the server's log") from error
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"no answer from {url} ({error}); start the server or correct --base-url") from error
    try:
        decoded = json.loads(content)
        text = decoded["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ModelMalformed(f"{url} did not answer with a chat completion: {content[:80]!r}") from error
    if not isinstance(text, str):
        raise ModelMalformed(f"{url} answered without text: {text!r}")
    return Reply(text, decoded, _usage(decoded.get("usage"), options))


def _usage(used: Any, options: Options) -> Usage:
    if not isinstance(used, Mapping):
        return Usage()
    read, written = used.get("prompt_tokens"), used.get("completion_tokens")
    if not isinstance(read, int) or not isinstance(written, int):
        return Usage()
    if options.input_price is None or options.output_price is None:
        return Usage(read, written)
    return Usage(read, written, (read * options.input_price + written * options.output_price) / 1e6)


class Endpoint:
    """See the module. The corpus is what its answers are judged against; the system has to have it already."""

    def __init__(self, papers: Iterable[Paper], options: Options) -> None:
        self.corpus = Corpus(papers)
        self.name = f"endpoint ({options.model})"
        self._options = options

    def respond(self, case: Case) -> Response:
        """Sends the turns one after the other, each with the replies so far, and reads the last reply."""
        messages: list[dict[str, str]] = []
        for turn in case.turns[:-1]:
            messages.append({"role": "user", "content": turn})
            messages.append({"role": "assistant", "content": complete(self._options, messages).text})
        messages.append({"role": "user", "content": case.question})
        began = time.perf_counter()
        reply = complete(self._options, messages)
        return read_reply(reply, self.corpus, time.perf_counter() - began)

    def provenance(self) -> dict[str, str]:
        """The corpus judged against and the model's name; what is behind the endpoint cannot be known."""
        return {"corpus": self.corpus.digest, "chat_model": str(self._options.model)}


def read_reply(reply: Reply, corpus: Corpus, seconds: float) -> Response:
    """A completion as a Response."""
    own = _find(reply.body, ("ibid",))
    if isinstance(own, Mapping) and "claims" in own:
        return _own(own, reply, seconds)
    listed = _find(reply.body, _LISTS)
    entries = listed if isinstance(listed, list) else []
    sources = {str(place): _source(str(place), entry, corpus) for place, entry in enumerate(entries, start=1)}
    return Response(
        "abstained" if declines(reply.text) else "answered",
        reply.text,
        said=sentences(reply.text, sources),
        citations=cited(reply.text, sources),
        seconds=seconds,
        usage=reply.usage,
        engine="endpoint",
    )


def _find(body: Mapping[str, Any], names: Sequence[str]) -> Any:
    choice = body["choices"][0]
    message = choice["message"]
    for place in (body, choice, message, message.get("context")):
        for name in names:
            if isinstance(place, Mapping) and place.get(name):
                return place[name]
    return None


def _source(key: str, entry: Any, corpus: Corpus) -> Cited:
    if isinstance(entry, str):
        paper = corpus.by_title(entry) or corpus.by_id(entry)
        return Cited(key, paper.id if paper else entry, paper.title if paper else entry)
    fields: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
    inner = fields.get("paper")
    about: Mapping[str, Any] = inner if isinstance(inner, Mapping) else fields
    title = str(about.get("title") or about.get("name") or "")
    paper = corpus.by_title(title) if title else None
    quote, start, end = fields.get("quote"), fields.get("start"), fields.get("end")
    return Cited(
        str(fields.get("key", key)),
        paper.id if paper else str(about.get("id") or title),
        title,
        quote if isinstance(quote, str) else None,
        start if isinstance(start, int) else None,
        end if isinstance(end, int) else None,
    )


def _own(answer: Mapping[str, Any], reply: Reply, seconds: float) -> Response:
    """Ibid's `Answer.to_dict()` as it comes back over the protocol."""

    def citations(items: Any) -> tuple[Cited, ...]:
        return tuple(
            Cited(one["key"], one["paper"]["id"], one["paper"]["title"], one["quote"], one["start"], one["end"])
            for one in items or ()
        )

    claims = answer["claims"]
    scores = [claim["score"] for claim in claims if claim["score"] is not None]
    return Response(
        answer["status"],
        answer["text"],
        reason=(answer.get("abstention") or {}).get("reason"),
        said=tuple(
            Said(one["text"], one["start"], one["end"], citations(one["citations"]), one["verdict"], one["score"])
            for one in claims
        ),
        citations=citations(answer.get("citations")),
        query=answer.get("query"),
        confidence=min(scores) if scores else None,
        seconds=seconds,
        usage=reply.usage,
        engine=str(answer.get("engine", "")),
        record_id=answer.get("record_id") or None,
    )
