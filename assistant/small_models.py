"""How the small models inside the package are run: one window at a time, on the calling thread."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from assistant.embedding.minilm import TOKENIZER_FILE

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

START, SEPARATOR = 101, 102  # [CLS] and [SEP] of the BERT vocabulary
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_LONGEST_TEXT = 4000  # characters of a part that are tokenised; far beyond every token limit


def session(model: bytes) -> InferenceSession:
    """An ONNX file's content, ready to run; the calling threads are the parallelism."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def tokenizer() -> Tokenizer:
    """MiniLM's tokenizer, without padding and truncation."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_buffer((files("assistant.models") / TOKENIZER_FILE).read_bytes())
    found.no_padding()
    found.no_truncation()
    return found


def tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    """Token ids of `text` without [CLS] and [SEP]; lone surrogates and endless texts do no harm."""
    clean = text[:_LONGEST_TEXT].translate(_SURROGATES)
    ids: list[int] = tokenizer.encode(clean, add_special_tokens=False).ids
    return ids
