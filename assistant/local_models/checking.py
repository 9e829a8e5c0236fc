"""What `ibid doctor` and `ibid model status` say of the model that answers here."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from assistant.errors import InputError
from assistant.local_models import store
from assistant.storage.doctor import Check

if TYPE_CHECKING:
    from assistant.settings import Settings

_NAME = "local model"


def finding(settings: Settings, *, hashed: bool = False) -> Check | None:
    """Whether the local model that `settings` name can answer; None when they name none."""
    if settings.chat_model.partition(":")[0] != store.LOCAL or settings.chat_base_url is not None:
        return None
    try:
        model = store.wanted(settings.models_path(), settings.chat_model)
    except InputError as error:
        message, _, mend = str(error).rpartition(": ")
        return Check(_NAME, False, message, mend)
    wrong = store.damage(model, hashed=hashed)
    if wrong:
        again = f"ibid model pull {model.name}" + (" --from FILE" if model.own else "")
        return Check(_NAME, False, f"{model.name}: {wrong}", again)
    if find_spec("xllamacpp") is None:
        return Check(_NAME, False, "the package xllamacpp is not installed", "pip install 'ibid-papers[local]'")
    return Check(_NAME, True, f"{model.name}, {store.size(model.bytes)}{', sha256 right' if hashed else ''}")
