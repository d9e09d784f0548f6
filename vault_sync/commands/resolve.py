"""Resolve a conflict as the student decides: their version, the new one, or prose of their own."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from featherface.errors import NotFoundError, RefusedError, UsageError, unknown
from vault_sync.commands import conflicts
from vault_sync.commands.dry_run import find_vault, survey_vault
from vault_sync.commands.writing import writing
from vault_sync.engine.applying import CHANGED
from vault_sync.engine.edits import Edit
from vault_sync.engine.owned_files import property_key
from vault_sync.engine.plans import Options, Write, state_patch
from vault_sync.engine.state import FOREVER, pair_digest
from vault_sync.engine.text import properties
from vault_sync.engine.text.markers import unmark

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.commands.dry_run import Survey
    from vault_sync.engine.notes import Note
    from vault_sync.engine.plans import Trouble
    from vault_sync.engine.state import Patch
    from vault_sync.engine.text.markers import Block


class Side(enum.Enum):
    """Whose version of a block stays."""

    MINE = "mine"
    """The student's, until the new version changes again."""
    NEW = "new"
    """The one that a sync would write."""
    PROSE = "prose"
    """The student's for ever: the markers go, the text stays."""


@dataclass(frozen=True)
class Resolution:
    """What resolving conflicts did; addresses are `NOTE#BLOCK`, `NOTE#property` or a file."""

    decided: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    """Files whose content changed."""
    left: list[str] = field(default_factory=list)
    """Conflicts that are still there."""
    warnings: list[str] = field(default_factory=list)


def decide(
    workspace: Workspace,
    side: Side,
    addresses: Sequence[str],
    *,
    everything: bool = False,
    to: Path | str | None = None,
) -> Resolution:
    """Settle what ADDRESSES name, or EVERYTHING that is in conflict.

    A note alone stands for all its conflicts. What is named may also be no conflict: a block that
    was kept as edited is written anew, one that was deleted or made prose is put back by NEW.

    Raises:
        NotFoundError: an address names nothing in the vault.
        UsageError: nothing is named, or what is named can't be decided this way.
        RefusedError: a note was saved meanwhile, or its markers are broken.
        LockedError: another process is writing into the vault.
    """
    if bool(addresses) == everything:
        raise UsageError(
            "name what to decide about, or --all conflicts", "thesis vault status shows them"
        )
    vault = find_vault(workspace, to)
    with writing(workspace, vault, f"vault {_VERBS[side]}") as writer:
        survey = survey_vault(workspace, vault, Options(accept_deletions=True))
        decider = _Resolver(survey, side)
        if everything:
            decider.conflicts(survey.plan.conflicts)
        for address in addresses:
            decider.address(address)
        outcome = writer.write(decider.writes())
        left = [
            trouble for trouble in survey.plan.conflicts if trouble.address not in decider.decided
        ]
        conflicts.write_new_versions(workspace, vault, left)
    if outcome.changed or outcome.refused:
        reasons = [str(trouble) for trouble in outcome.refused]
        reasons += [f"{path}: {CHANGED}" for path in outcome.changed]
        raise RefusedError("\n  ".join(reasons), "try again")
    same = {write.path for write in decider.writes() if write.after == write.before}
    return Resolution(
        decided=list(decider.decided),
        written=[path for path in outcome.written if path not in same],
        left=[trouble.address for trouble in left],
        warnings=writer.warnings(),
    )


_VERBS = {Side.MINE: "take --mine", Side.NEW: "take --new", Side.PROSE: "adopt"}


class _Resolver:
    """Gathers the writes to notes, and what is to be remembered with each."""

    def __init__(self, survey: Survey, side: Side) -> None:
        self.survey = survey
        self.side = side
        self.reopened = survey.replan(Options(accept_deletions=True, reopen=True)).conflicts
        self.decided: dict[str, None] = {}
        self.edits: dict[str, Edit] = {}
        self.cut: dict[str, list[Block]] = {}
        self.memory: dict[str, dict[str, dict[str, Any]]] = {}
        """Path -> what is to be remembered with it."""
        self.whole: dict[str, Write] = {}

    def conflicts(self, troubles: Sequence[Trouble]) -> None:
        for trouble in troubles:
            self.address(trouble.address)

    def address(self, address: str) -> None:
        """Decide about what ADDRESS names."""
        name, _, inner = address.partition("#")
        path = self._path(name, address)
        if path not in self.survey.snapshot.notes and not inner:
            self._file(path)
            return
        if path not in self.survey.snapshot.notes:
            raise NotFoundError(f"there is no note {path} in the vault", "thesis vault status")
        if not inner:
            self._all_of(path)
            return
        self.decided[f"{path}#{inner}"] = None
        note = self.survey.snapshot.notes[path]
        block = next((block for block in note.scan.blocks if block.id == inner), None)
        keys = {
            trouble.key: trouble
            for trouble in self.reopened
            if trouble.path == path and trouble.key
        }
        if note.scan.faults:
            raise RefusedError(f"the markers of {path} are broken", "thesis report sync names them")
        if block is not None:
            self._block(note, block)
        elif inner in keys:
            self._property(note, keys[inner])
        elif self.side is Side.NEW and inner in self.survey.blocks:
            self._put_back(note, inner)
        else:
            known = [block.id for block in note.scan.blocks] + list(keys)
            raise NotFoundError(f"{path}: {unknown('block', inner, known)}", "thesis vault status")

    def writes(self) -> list[Write]:
        """Return the gathered changes, one write per file."""
        paths = dict.fromkeys([*self.edits, *self.cut, *self.memory, *self.whole])
        return [self._write(path) for path in paths]

    def _write(self, path: str) -> Write:
        if path in self.whole:
            return self.whole[path]
        note = self.survey.snapshot.notes[path]
        if path in self.cut:
            after = unmark(note.data, self.cut[path])
            return Write(path, note.data, after, remember=self.memory[path])
        if path in self.edits:
            write = self.edits[path].write()
            patch = _merged(state_patch(write), self.memory.get(path, {}))
            return replace(write, remember=patch)
        return Write(path, note.data, note.data, remember=self.memory[path])

    def _path(self, name: str, address: str) -> str:
        """Return the path that NAME means: with or without folder and `.md`."""
        wholes = [file.path for file in self.survey.wanted.files]
        known = [*self.survey.snapshot.notes, *wholes, *(write.path for write in self._deleted())]
        plain = name.strip().replace("\\", "/").removeprefix("./")
        for choice in (plain, f"{plain}.md"):
            if choice in known:
                return choice
        ends = [path for path in known if path.endswith((f"/{plain}", f"/{plain}.md"))]
        if len(ends) == 1:
            return ends[0]
        if ends:
            raise UsageError(f"{address!r} may mean {' or '.join(ends)}", "name the whole path")
        names = known if "/" in plain else [path.rsplit("/", 1)[-1] for path in known]
        raise NotFoundError(unknown("note", plain, names), "thesis vault status")

    def _all_of(self, path: str) -> None:
        """Decide about every conflict of a note."""
        troubles = [trouble for trouble in self.survey.plan.conflicts if trouble.path == path]
        if not troubles:
            raise UsageError(f"{path} holds no conflict", f'name a block: "{path}#BLOCK"')
        self.conflicts(troubles)

    def _block(self, note: Note, block: Block) -> None:
        if self.side is Side.PROSE:
            self.cut.setdefault(note.path, []).append(block)
            self._remember(note.path, "adopted", block.id, note.path)
            self._remember(note.path, "blocks", block.id, note.path)
            return
        wanted = self.survey.blocks.get(block.id)
        if wanted is None:
            reason = f"no new version of the block {block.id!r} can be made now"
            raise RefusedError(reason, "thesis report sync says why")
        mine = self.side is Side.MINE
        self._edit(note).fill(block, wanted, block.body if mine else wanted.body)

    def _property(self, note: Note, trouble: Trouble) -> None:
        """Write the new value of a property, or remember that the student's stays."""
        name = property_key(note.id or "", trouble.key)
        if self.side is Side.NEW:
            owner = next(wanted for wanted in self.survey.wanted.notes if wanted.id == note.id)
            edit = self._edit(note)
            edit.id = owner.id
            edit.values[trouble.key] = owner.properties[trouble.key]
            known = edit.properties or self.survey.state.properties.get(owner.id, {})
            new = properties.write_value(owner.properties[trouble.key])
            edit.properties = {**known, trouble.key: new}
            return
        whole = self.side is Side.PROSE
        decision = FOREVER if whole else pair_digest(trouble.disk, trouble.new)
        self._remember(note.path, "settled", name, decision)

    def _file(self, path: str) -> None:
        """Decide about a file that the tool owns whole, or make a deleted note again."""
        self.decided[path] = None
        note = next((write for write in self._deleted() if write.path == path), None)
        if note is not None:
            self.whole[path] = note
            return
        disk = self.survey.snapshot.wholes.get(path)
        new = next(file.content for file in self.survey.wanted.files if file.path == path)
        if self.side is Side.NEW:
            self.whole[path] = Write(path, disk, new, whole=True)
            return
        if disk is None:
            raise NotFoundError(f"there is no file {path} in the vault", "thesis vault status")
        decision = FOREVER if self.side is Side.PROSE else pair_digest(disk, new)
        self.whole[path] = Write(path, disk, disk, remember={"settled": {path: decision}})

    def _put_back(self, note: Note, block_id: str) -> None:
        """Append a block that stands nowhere."""
        elsewhere = self.survey.snapshot.blocks.get(block_id)
        if elsewhere:
            path = elsewhere[0][0].path
            raise UsageError(f"the block {block_id!r} stands in {path}", f'"{path}#{block_id}"')
        self._edit(note).append(self.survey.blocks[block_id])
        self._remember(note.path, "adopted", block_id, None)

    def _deleted(self) -> list[Write]:
        """Return how the notes that were deleted would be made again."""
        if self.side is not Side.NEW:
            return []
        recreating = self.survey.replan(Options(recreate=True))
        return [write for write in recreating.writes if write.before is None and not write.whole]

    def _edit(self, note: Note) -> Edit:
        return self.edits.setdefault(note.path, Edit(note, before=note.data))

    def _remember(self, path: str, section: str, key: str, value: str | None) -> None:
        self.memory.setdefault(path, {}).setdefault(section, {})[key] = value


def _merged(first: Patch, second: Patch) -> Patch:
    return {name: {**first.get(name, {}), **second.get(name, {})} for name in {*first, *second}}
