"""What the schema says of replies beside a route's own: failures, and streams."""

from __future__ import annotations

from typing import Any, Final

from ui.api.models import FailureReply


def _failure(description: str, code: str, message: str) -> dict[str, Any]:
    example = {"error": {"code": code, "message": message}}
    return {
        "model": FailureReply,
        "description": description,
        "content": {"application/json": {"example": example}},
    }


FAILURES: Final[dict[int | str, dict[str, Any]]] = {
    400: _failure("The request cannot be read", "bad_request", "There was an error parsing the body"),
    401: _failure("Not known here", "unauthorised", "this server answers those who give its token"),
    403: _failure("Not allowed", "forbidden", "a page of another site may not ask here"),
    404: _failure("No such paper, record or conversation", "not_found", "no paper 'arxiv:2401.00001' in this library"),
    405: _failure("Not done with this address", "method_not_allowed", "Method Not Allowed"),
    409: _failure("Another process is writing", "library_locked", "library 'papers' is being written by process 4711"),
    413: _failure("Too large", "too_large", "a request here has at most 262,144 bytes"),
    415: _failure("A kind of file that is not taken", "wrong_kind", "a file such as 'a.exe' is not taken"),
    422: _failure("Something in the request cannot be used", "bad_request", "body.question: Field required"),
    429: _failure("Too much at once; see Retry-After", "too_many_requests", "more than 600 requests a minute"),
    502: _failure("The chat model refused or failed", "model_refused", "model 'x' refused the key; set IBID_CHAT_API_KEY"),
    503: _failure("The chat model or the library is away", "model_unavailable", "model 'x' cannot be reached"),
}  # fmt: skip

STREAM: Final[dict[str, Any]] = {
    "description": "The answer, whole or as it grows",
    "content": {
        "text/event-stream": {
            "schema": {  # of one event, as OpenAPI has it for streams
                "type": "object",
                "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
                "required": ["data"],
            },
            "example": 'event: Token\ndata: {"text":"We evaluate 60 combinations [1]."}\n\n',
        }
    },
}
