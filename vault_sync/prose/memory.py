"""The values that bound numbers had, under .thesis: they tell an outdated number from an edit.

Losing them loses little: the records of all versions tell the same, but for what is no record:
a cited result that was corrected, a run that was removed.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from experiments.workspace.workspace import Workspace
    from vault_sync.prose.references import MetricReference

SCHEMA = 1
KEPT = 20
"""Values kept of each reference."""


class NumberMemory:
    """The values each reference had when its numbers were checked, as kept in numbers.json."""

    def __init__(self, workspace: Workspace) -> None:
        self._path = workspace.state / "numbers.json"
        self._values = self._read()
        self._changed = False

    def recall(self, reference: MetricReference) -> list[float]:
        """Return the values that REFERENCE had, the latest first."""
        return list(reversed(self._values.get(str(reference.term), [])))

    def remember(self, reference: MetricReference, value: float) -> None:
        """Add VALUE as the latest one of REFERENCE."""
        known = self._values.setdefault(str(reference.term), [])
        if known[-1:] != [value]:
            known[:] = [*(earlier for earlier in known if earlier != value), value][-KEPT:]
            self._changed = True

    def save(self) -> None:
        """Write what is new; a state folder that can't be written is no fault here."""
        if not self._changed:
            return
        content = {"schema": SCHEMA, "values": dict(sorted(self._values.items()))}
        with contextlib.suppress(OSError):
            write_atomic(self._path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
            self._changed = False

    def _read(self) -> dict[str, list[float]]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            if content["schema"] != SCHEMA:
                return {}
            values = content["values"].items()
            return {str(key): [float(value) for value in known] for key, known in values}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
