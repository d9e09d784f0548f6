"""Numbers in prose, bound to the records they come from.

`check` judges every bound number of the vault; `Prose` does that and more on one reading of it.
"""

from __future__ import annotations

from vault_sync.prose.binder import Bound, Snippet, bind, quote
from vault_sync.prose.checking import STATES, Finding
from vault_sync.prose.numbers import Prose, check
from vault_sync.prose.suggestions import Suggestion

__all__ = [
    "STATES",
    "Bound",
    "Finding",
    "Prose",
    "Snippet",
    "Suggestion",
    "bind",
    "check",
    "quote",
]
