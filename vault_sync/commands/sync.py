"""Bring a vault up to date with the sealed runs: scan, render, plan, apply."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from experiments.records.seal import MEND
from experiments.records.store import Store
from featherface.errors import RefusedError
from vault_sync.commands import conflicts
from vault_sync.commands.dry_run import find_vault, survey_vault
from vault_sync.commands.ownership import check_owner
from vault_sync.commands.writing import writing
from vault_sync.content import saved_comparisons
from vault_sync.engine.applying import CHANGED, WriteOutcome
from vault_sync.engine.meaning.sameness import respell
from vault_sync.engine.plans import Options, Trouble
from vault_sync.engine.state import State
from vault_sync.engine.text.markers import scan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.records.run import Run
    from experiments.workspace.workspace import Workspace
    from vault_sync.commands.writing import VaultWriter
    from vault_sync.engine.plans import Plan, Write

ATTEMPTS = 3
"""How often a sync plans again for notes that are being saved while it writes."""


@dataclass(frozen=True)
class SyncReport:
    """What a sync did, or would do; all paths are from the vault, with forward slashes."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    """Notes that hold an edited block; nothing was written over the edit."""
    refused: list[str] = field(default_factory=list)
    """Notes that were left alone because something in them, or in a record, is broken."""
    reasons: list[str] = field(default_factory=list)
    """One sentence for each conflict and refusal: `path:line: what is wrong`."""
    warnings: list[str] = field(default_factory=list)
    diffs: dict[str, str] = field(default_factory=dict)
    """Path -> unified diff, of what was written or would be."""
    disputes: dict[str, str] = field(default_factory=dict)
    """`NOTE#BLOCK` of each conflict -> unified diff from the student's version to the new one."""
    kept: Path | None = None
    """Where the new versions of edited blocks were put; None where there was no conflict."""

    @property
    def problem(self) -> RefusedError | None:
        """The error that tells of conflicts and refusals; None where all is well."""
        if not self.reasons:
            return None
        return RefusedError("\n  ".join(dict.fromkeys(self.reasons)), self._hint())

    def _hint(self) -> str:
        if any(MEND in reason for reason in self.reasons):
            return f"{MEND}, then: thesis report sync --to vault"
        if not self.disputes:
            return "correct what is named, then: thesis report sync --to vault"
        address = next(iter(self.disputes))
        hint = f'look: thesis report sync --diff; then: thesis vault take --mine "{address}" keeps '
        hint += "your version, take --new writes the new one, adopt makes your text your own"
        return f"{hint}; the new versions are in {self.kept}" if self.kept else hint


def sync(
    workspace: Workspace,
    *,
    to: Path | str | None = None,
    dry_run: bool = False,
    check: bool = False,
    take_over: bool = False,
    **choices: bool,
) -> SyncReport:
    """Bring the vault (the workspace's, or the folder TO) up to date with the sealed runs.

    With DRY_RUN or CHECK nothing is written (but caches): `written` says what would be. With
    TAKE_OVER a vault that another workspace keeps becomes this one's. CHOICES: see `Options`.

    Raises:
        NotFoundError: there is no such vault.
        UnavailableError: the vault is read-only, or the disk is full or failing.
        LockedError: another sync is at work.
        RefusedError: many notes are gone at once, a chapter's path leaves the vault, or another
            workspace keeps it.
        UsageError: the vault holds the records or lies among them.
    """
    vault = find_vault(workspace, to)
    options = Options(**choices)
    if dry_run or check:
        if not take_over:
            check_owner(workspace, vault)
        sync_plan = survey_vault(workspace, vault, options).plan
        return _report(
            sync_plan,
            WriteOutcome(sync_plan.state, [write.path for write in sync_plan.writes]),
            None,
        )
    with writing(workspace, vault, "report sync", take_over=take_over) as writer:
        Store(workspace).remember()
        return _sync(workspace, writer, options)


def add_comparison(
    workspace: Workspace, runs: Sequence[Run], comparison: object = None
) -> SyncReport:
    """Put a comparison of RUNS into its chapter, and remember to keep it true.

    The block is rendered from the records again at each sync; COMPARISON is what the caller has
    computed already and is not needed for that.
    """
    del comparison
    with writing(workspace, find_vault(workspace), "compare --to vault") as writer:
        saved_comparisons.remember(workspace, [run.id for run in runs])
        return _sync(workspace, writer, Options())


def _sync(workspace: Workspace, writer: VaultWriter, options: Options) -> SyncReport:
    """Plan and apply, again for notes that a student saves meanwhile."""
    total = WriteOutcome(State())
    for attempt in range(ATTEMPTS):
        sync_plan = survey_vault(workspace, writer.vault, options).plan
        outcome = writer.write(sync_plan.writes, sync_plan.state)
        total.written += outcome.written
        total.refused = outcome.refused
        if attempt == 0:
            diffs = sync_plan
        if not outcome.changed:
            break
    total.refused += [Trouble(path, CHANGED) for path in outcome.changed]
    folder = conflicts.write_new_versions(workspace, writer.vault, sync_plan.conflicts)
    warnings = (*sync_plan.warnings, *writer.warnings())
    return _report(replace(sync_plan, writes=diffs.writes, warnings=warnings), total, folder)


def _report(sync_plan: Plan, outcome: WriteOutcome, folder: Path | None) -> SyncReport:
    refused = [*sync_plan.refused, *outcome.refused]
    return SyncReport(
        written=sorted(set(outcome.written)),
        unchanged=list(sync_plan.unchanged),
        conflicts=sorted({trouble.path for trouble in sync_plan.conflicts}),
        refused=sorted({trouble.path for trouble in refused}),
        reasons=[str(trouble) for trouble in (*sync_plan.conflicts, *refused)],
        warnings=list(sync_plan.warnings),
        diffs=_diffs(sync_plan, set(outcome.written)),
        disputes={trouble.address: _dispute(trouble) for trouble in sync_plan.conflicts},
        kept=folder,
    )


def _diffs(sync_plan: Plan, written: set[str]) -> dict[str, str]:
    return {
        write.path: diff(write.path, _respelled(write), write.after)
        for write in sync_plan.writes
        if write.path in written and not write.whole
    }


def _respelled(write: Write) -> bytes | None:
    """Return the note as it was, its blocks laid out as the new ones are: what differs is shown."""
    before = write.before
    if before is None or write.after is None:
        return before
    new = {block.id: block for block in scan(write.after).blocks}
    for block in sorted(scan(before).blocks, key=lambda block: block.start, reverse=True):
        if block.id not in new or new[block.id].body == block.body:
            continue
        start = before.find(b"\n", block.start, block.stop) + 1
        stop = before.rfind(b"\n", start, block.stop) + 1
        body = respell(block.body, new[block.id].body).replace(b"\n", block.ending)
        inner = block.ending + body + block.ending * 2
        before = before[:start] + inner + before[stop:]
    return before


def _dispute(trouble: Trouble) -> str:
    """Compare the two versions of a conflict; of a picture only that they differ."""
    if b"\0" in trouble.disk or b"\0" in trouble.new:
        return f"--- yours/{trouble.address}\n+++ new/{trouble.address}\n(no text)\n"
    mine = respell(trouble.disk, trouble.new) if trouble.block else trouble.disk
    return diff(trouble.address, mine, trouble.new, ("yours/", "new/"))


def diff(
    path: str, before: bytes | None, after: bytes | None, sides: tuple[str, str] = ("a/", "b/")
) -> str:
    """Return the unified diff of a note."""
    old, new = _lines(before), _lines(after)
    source = "/dev/null" if before is None else f"{sides[0]}{path}"
    lines = difflib.unified_diff(old, new, source, f"{sides[1]}{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "replace").splitlines(keepends=True)


__all__ = ["SyncReport", "add_comparison", "sync"]
