"""One line about the bound numbers of a vault, for the warnings of a sync."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from experiments.disturbances import marks_text
from experiments.metrics import MARKS
from vault_sync.prose.bindings import may_hold
from vault_sync.prose.checking import NumberChecker
from vault_sync.prose.memory import NumberMemory
from vault_sync.prose.values import ReferenceValues

if TYPE_CHECKING:
    from experiments.records.store import Store
    from experiments.workspace.workspace import Workspace
    from vault_sync.engine.notes import Snapshot


def summarise(workspace: Workspace, snapshot: Snapshot, store: Store) -> tuple[str, ...]:
    """Say in one line which bound numbers are not what their records say; nothing where all are.

    Costs next to nothing in a vault without bound numbers.
    """
    notes = [note for note in snapshot.notes.values() if may_hold(note.data)]
    if not notes:
        return ()
    checker = NumberChecker(
        ReferenceValues(workspace, store), NumberMemory(workspace), workspace.language
    )
    findings = list(checker.check(notes))
    states = Counter(finding.state for finding in findings)
    marks = Counter(mark for each in findings if each.value for mark in each.value.marks)
    told: dict[str, int] = {state: n for state, n in states.items() if state != "fresh"}
    told |= {marks_text((mark,), "en"): marks[mark] for mark in MARKS if marks[mark]}
    wrong = ", ".join(f"{n} {state}" for state, n in told.items())
    if not wrong:
        return ()
    return (f"bound numbers in the prose: {wrong}, of {states.total()}; see: thesis check numbers",)
