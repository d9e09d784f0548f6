"""Keep a vault true: scan, render, plan, apply."""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, RefusedError
from featherface.files import write_atomic
from vault_sync import selections
from vault_sync.composing import Composer
from vault_sync.context import Sources
from vault_sync.engine.applying import CHANGED, Outcome
from vault_sync.engine.folders import open_folder
from vault_sync.engine.names import parent, safe_name
from vault_sync.engine.notes import read_vault
from vault_sync.engine.planning import plan
from vault_sync.engine.plans import Options, Plan, Trouble
from vault_sync.engine.state import Bases, State, read_state, state_path
from vault_sync.writing import writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from experiments.store import Run
    from experiments.workspace import Workspace
    from vault_sync.engine.notes import Snapshot
    from vault_sync.writing import Writer

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
    kept: Path | None = None
    """Where the new versions of edited blocks were put; None where there was no conflict."""

    @property
    def problem(self) -> RefusedError | None:
        """The error that tells of conflicts and refusals; None where all is well."""
        if not self.reasons:
            return None
        hint = (
            f"the new versions are in {self.kept}; undo the edit, or move your words outside the "
            "block and empty it, then: thesis report sync --to vault"
            if self.kept
            else "correct what is named, then: thesis report sync --to vault"
        )
        return RefusedError("\n  ".join(dict.fromkeys(self.reasons)), hint)


def sync(
    workspace: Workspace,
    *,
    to: Path | str | None = None,
    dry_run: bool = False,
    check: bool = False,
    merge: bool = False,
    recreate: bool = False,
    join: bool = False,
    accept_deletions: bool = False,
) -> SyncReport:
    """Bring the vault (the workspace's, or the folder TO) up to date with the sealed runs.

    With DRY_RUN or CHECK nothing is written (but caches): `written` says what would be.

    Raises:
        NotFoundError: there is no such vault.
        UnavailableError: the vault is read-only, or the disk is full or failing.
        LockedError: another sync is at work.
        RefusedError: many notes are gone at once, or a chapter's path leaves the vault.
    """
    vault = find_vault(workspace, to)
    options = Options(merge, recreate, join, accept_deletions)
    if dry_run or check:
        made, _ = _plan(workspace, vault, options)
        return _report(made, Outcome(made.state, [write.path for write in made.writes]), None)
    with writing(workspace, vault, "report sync") as writer:
        return _sync(workspace, writer, options)


def add_comparison(
    workspace: Workspace, runs: Sequence[Run], comparison: object = None
) -> SyncReport:
    """Put a comparison of RUNS into its chapter, and remember to keep it true.

    The block is rendered from the records again at each sync; COMPARISON is what the caller has
    computed already and is not needed for that.
    """
    del comparison
    with writing(workspace, find_vault(workspace, None), "compare --to vault") as writer:
        selections.remember(workspace, [run.id for run in runs])
        return _sync(workspace, writer, Options())


def find_vault(workspace: Workspace, to: Path | str | None) -> Path:
    """Return the folder of the vault.

    Raises:
        NotFoundError: it does not exist or is no folder.
    """
    vault = workspace.vault
    if to is not None and str(to) != "vault":
        vault = (workspace.root / to).expanduser().resolve()
    if not vault.is_dir():
        what = "is no folder" if vault.exists() else "does not exist"
        hint = f"make it with: thesis init {workspace.root}, or correct vault in thesis.toml"
        if vault != workspace.vault:
            hint = "make that folder first, or: thesis report sync --to vault"
        raise NotFoundError(f"the vault {vault} {what}", hint)
    return vault


def _sync(workspace: Workspace, writer: Writer, options: Options) -> SyncReport:
    """Plan and apply, again for notes that a student saves meanwhile."""
    total = Outcome(State())
    for attempt in range(ATTEMPTS):
        made, _ = _plan(workspace, writer.vault, options)
        outcome = writer.write(made.writes, made.state)
        total.written += outcome.written
        total.refused = outcome.refused
        if attempt == 0:
            diffs = made
        if not outcome.changed:
            break
    total.refused += [Trouble(path, CHANGED) for path in outcome.changed]
    kept = _keep_conflicts(workspace, made.conflicts)
    return _report(replace(made, writes=diffs.writes), total, kept)


def _plan(workspace: Workspace, vault: Path, options: Options) -> tuple[Plan, Snapshot]:
    """Read the vault and decide what to write; nothing is written but the cache of figures."""
    state = read_state(state_path(workspace.state, vault, workspace.vault))
    snapshot = read_vault(vault)
    composer = Composer(Sources(workspace), snapshot, state, vault, recreate=options.recreate)
    wanted = composer.compose()
    wholes = _read_wholes(vault, [file.path for file in wanted.files])
    snapshot = replace(snapshot, wholes=wholes)
    return plan(snapshot, wanted, state, Bases(workspace.state).find, options), snapshot


def _read_wholes(vault: Path, paths: Iterable[str]) -> dict[str, bytes]:
    found = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError), open_folder(vault, parent(path)) as folder:
            content = folder.read(path.rsplit("/", 1)[-1])
            if content is not None:
                found[path] = content
    return found


def _keep_conflicts(workspace: Workspace, conflicts: Sequence[Trouble]) -> Path | None:
    """Put the versions that were not written where the student can look at them."""
    folder = workspace.state / "conflicts"
    for trouble in conflicts:
        if not trouble.new:
            continue
        name = safe_name(trouble.path.removesuffix(".md"))
        suffix = f"{safe_name(trouble.block)}.md" if trouble.block else "new.png"
        path = folder / name / suffix
        content = trouble.new if not trouble.block else trouble.new + b"\n"
        if not path.exists() or path.read_bytes() != content:
            write_atomic(path, content)
    return folder if any(trouble.new for trouble in conflicts) else None


def _report(made: Plan, outcome: Outcome, kept: Path | None) -> SyncReport:
    refused = [*made.refused, *outcome.refused]
    return SyncReport(
        written=sorted(set(outcome.written)),
        unchanged=list(made.unchanged),
        conflicts=sorted({trouble.path for trouble in made.conflicts}),
        refused=sorted({trouble.path for trouble in refused}),
        reasons=[str(trouble) for trouble in (*made.conflicts, *refused)],
        warnings=list(made.warnings),
        diffs=_diffs(made, set(outcome.written)),
        kept=kept,
    )


def _diffs(made: Plan, written: set[str]) -> dict[str, str]:
    return {
        write.path: diff(write.path, write.before, write.after)
        for write in made.writes
        if write.path in written and not write.whole
    }


def diff(path: str, before: bytes | None, after: bytes | None) -> str:
    """Return the unified diff of a note."""
    old = (before or b"").decode("utf-8", "replace").splitlines(keepends=True)
    new = (after or b"").decode("utf-8", "replace").splitlines(keepends=True)
    source = "/dev/null" if before is None else f"a/{path}"
    return "".join(difflib.unified_diff(old, new, source, f"b/{path}"))


__all__ = ["SyncReport", "add_comparison", "sync"]
