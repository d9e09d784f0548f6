"""Decide every write of a sync beforehand. Pure: nothing here touches a file.

`plan` gets what the vault holds (a snapshot), what it should hold (the wanted notes), and what
was written before (the state); the only reader it calls looks up merge bases by their sha.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from featherface.errors import RefusedError
from vault_sync.engine.edits import Edit, is_kept
from vault_sync.engine.notes import Note
from vault_sync.engine.owned_files import decide_properties, decide_whole, is_current
from vault_sync.engine.plan_warnings import check_deletions, copy_warnings, missing_block_warnings
from vault_sync.engine.plans import Options, Plan, Trouble, Write
from vault_sync.engine.text import marker_errors, markers, properties
from vault_sync.engine.three_way import Decision, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vault_sync.engine.notes import Snapshot
    from vault_sync.engine.plans import Wanted, WantedBlock, WantedFile, WantedNote
    from vault_sync.engine.state import State
    from vault_sync.engine.text.markers import Block


def plan(
    snapshot: Snapshot,
    wanted: Wanted,
    state: State,
    find_base: Callable[[str | None], bytes | None],
    options: Options | None = None,
) -> Plan:
    """Decide what to write.

    Raises:
        RefusedError: many notes are gone at once, as when a vault is not mounted.
    """
    options = options or Options()
    state = replace(state, settled={}) if options.reopen else state
    planner = _Planner(snapshot, state, find_base, options)
    planner.refused += wanted.refused
    planner.warnings += wanted.warnings
    if not (options.accept_deletions or options.recreate):
        check_deletions(snapshot, state)
    planner.refuse_faulty()
    for note in wanted.notes:
        planner.note(note)
    for block in wanted.blocks:
        planner.block(block, None)
    for file in wanted.files:
        planner.whole(file)
    return planner.finish()


class _Planner:
    """Gathers the decisions of one plan."""

    def __init__(
        self,
        snapshot: Snapshot,
        state: State,
        find_base: Callable[[str | None], bytes | None],
        options: Options,
    ) -> None:
        self.snapshot = snapshot
        self.state = state
        self.find_base = find_base
        self.options = options
        self.edits: dict[str, Edit] = {}
        self.wholes: list[Write] = []
        self.unchanged: list[str] = []
        self.conflicts: list[Trouble] = []
        self.refused: tuple[Trouble, ...] = ()
        self.warnings: list[str] = []
        self.lacking: dict[str, WantedBlock] = {}
        """Address -> a block that its note never had."""
        self.notes = dict(state.notes)
        self.blocks = dict(state.blocks)
        self.deleted = set(state.deleted)
        self.adopted = dict(state.adopted)
        self.kept: list[str] = []
        self.answers = dict(state.answers)

    def refuse_faulty(self) -> None:
        """Refuse what can't be read, broken markers, and blocks that stand in two notes."""
        for path, reason in self.snapshot.unreadable.items():
            self.refuse(path, reason)
        for note in self.snapshot.notes.values():
            for fault in note.scan.faults:
                self.refuse(note.path, marker_errors.describe(fault), fault.line)
        for places in self.snapshot.blocks.values():
            if len({note.path for note, _ in places}) > 1:
                for note, block in places:
                    others = ", ".join(other.path for other, _ in places if other is not note)
                    reason = f"the block {block.id!r} also stands in {others}; keep one of them"
                    self.refuse(note.path, reason, block.line)

    def refuse(self, path: str, reason: str, line: int = 0) -> None:
        self.refused += (Trouble(path, reason, line),)

    def note(self, wanted: WantedNote) -> None:
        carriers = self.snapshot.by_id.get(wanted.id, [])
        if len(carriers) > 1:
            for carrier in carriers:
                others = ", ".join(other.path for other in carriers if other is not carrier)
                self.refuse(carrier.path, f"its thesis_id {wanted.id!r} is also that of {others}")
            return
        note = carriers[0] if carriers else self.snapshot.notes.get(wanted.path)
        place = self.state.notes.get(wanted.id, wanted.path)
        if note is None and self.unread(place):
            return
        if note is None and place in self.snapshot.links:
            self.refuse(place, "it is a link, through which nothing is written; put the note there")
            return
        if note is None:
            self.create(wanted)
            return
        if carriers:
            self.notes[wanted.id] = note.path
            self.deleted.discard(wanted.id)
            self.properties(note, wanted)
            self.apply_updates(note, wanted)
        self.unchanged.append(note.path)
        for block in wanted.blocks:
            self.block(block, note)

    def create(self, wanted: WantedNote) -> None:
        other = self.snapshot.collision(wanted.path)
        if other is not None:
            self.refuse(other, f"{wanted.path!r} would be the same file on Windows and macOS")
            return
        gone = wanted.id in self.deleted or wanted.id in self.state.notes
        if gone and not self.options.recreate:
            self.deleted.add(wanted.id)
            for block in wanted.blocks:
                self.block(block, None)  # it may have been moved to another note
            return
        twin = next((path for path in self.edits if path.lower() == wanted.path.lower()), None)
        if twin is not None:
            named = f"{twin!r} and {wanted.path!r}" if twin != wanted.path else repr(twin)
            reason = f"two new notes would be one file, {named}; give each its own path"
            self.refuse(wanted.path, reason)
            return
        self.deleted.discard(wanted.id)
        note = Note(wanted.path, wanted.skeleton)
        edit = self.edits.setdefault(note.path, Edit(note, before=None))
        edit.id = wanted.id
        edit.answers = dict(wanted.updates.after) if wanted.updates else {}
        self.answers.pop(wanted.id, None)
        edit.properties = {
            key: properties.write_value(value) for key, value in wanted.properties.items()
        }
        standing = {block.id: block for block in note.scan.blocks}
        for block in wanted.blocks:
            if self.snapshot.blocks.get(block.id):
                self.block(block, None)
            elif block.id in standing:
                edit.fill(standing[block.id], block, block.body)

    def block(self, wanted: WantedBlock, home: Note | None) -> None:
        places = self.snapshot.blocks.get(wanted.id, [])
        if len(places) == 1:
            self.decide(wanted, *places[0])
        elif not places and home is not None and not home.scan.faults:
            self.missing(wanted, home)

    def missing(self, wanted: WantedBlock, home: Note) -> None:
        """A block that stands nowhere: deleted, or never yet put there."""
        if wanted.id in self.state.adopted or self.unread(self.state.blocks.get(wanted.id)):
            return
        known = wanted.id in self.state.blocks
        faulty = self.snapshot.notes.get(self.state.blocks.get(wanted.id, ""))
        if not wanted.body or (faulty is not None and faulty.scan.faults):
            return
        if known and not self.options.recreate:
            return
        if known or self.options.join or wanted.after:
            self.edit(home).append(wanted)
            return
        self.lacking[f"{home.path}#{wanted.id}"] = wanted

    def decide(self, wanted: WantedBlock, note: Note, block: Block) -> None:
        if note.scan.faults:
            return
        base = block.body if block.sha == markers.digest(block.body) else self.find_base(block.sha)
        if base is None and block.sha == markers.digest(wanted.body):
            base = wanted.body
        self.blocks[block.id] = note.path
        self.adopted.pop(block.id, None)
        block_decision = decide(base, block.body, wanted.body)
        if block_decision.decision is Decision.WRITE:
            self.edit(note).fill(block, wanted, wanted.body)
        elif (
            block_decision.decision is Decision.MERGE
            and block_decision.body is not None
            and self.options.merge
        ):
            self.edit(note).fill(block, wanted, block_decision.body)
        elif block_decision.decision is Decision.UNCHANGED:
            self.unchanged.append(note.path)
        elif block_decision.decision is Decision.EDITED and is_kept(block, self.find_base):
            self.unchanged.append(note.path)
            self.kept.append(f"{note.path}#{block.id}")
        else:
            reason = f"the block {block.id!r} was edited by hand"
            new, disk = wanted.body, block.body
            self.conflicts.append(Trouble(note.path, reason, block.line, block.id, new, disk))

    def properties(self, note: Note, wanted: WantedNote) -> None:
        try:
            property_plan = decide_properties(note, wanted, self.state)
            if property_plan.changes:
                edit = self.edit(note)
                edit.id = wanted.id
                edit.values.update(property_plan.changes)
                edit.properties = dict(self.state.properties.get(wanted.id, {})) | {
                    key: properties.write_value(value)
                    for key, value in property_plan.changes.items()
                }
                properties.splice(note.data, property_plan.changes)
        except (RefusedError, UnicodeDecodeError) as error:
            self.edits.pop(note.path, None)
            self.refuse(note.path, str(error))
        else:
            self.conflicts += property_plan.conflicts
            self.kept += property_plan.kept

    def apply_updates(self, note: Note, wanted: WantedNote) -> None:
        """Put in the answers that are newer on the record's side."""
        updates = wanted.updates
        if updates is None:
            return
        self.answers[wanted.id] = dict(updates.known)
        if updates.values or updates.splices:
            edit = self.edit(note)
            edit.id, edit.answers = wanted.id, dict(updates.after)
            edit.values |= updates.values
            edit.splices += updates.splices

    def unread(self, path: str | None) -> bool:
        """Whether a file is there that can't be read; what it holds is unknown, not gone."""
        return path in self.snapshot.unreadable

    def whole(self, wanted: WantedFile) -> None:
        if self.unread(wanted.path):
            return
        other = self.snapshot.collision(wanted.path)
        missing = wanted.path not in self.snapshot.wholes
        if missing and other is not None and other != wanted.path:
            self.refuse(other, f"{wanted.path!r} would be the same file on Windows and macOS")
            return
        recreate = self.options.recreate
        decided = decide_whole(wanted, self.snapshot, self.state, recreate=recreate)
        if isinstance(decided, Write):
            self.wholes.append(decided)
        elif isinstance(decided, Trouble):
            self.conflicts.append(decided)
        elif decided is not None:
            self.unchanged.append(decided)
            differs = not is_current(decided, self.snapshot.wholes[decided], wanted.content)
            self.kept += [decided] if differs else []

    def edit(self, note: Note) -> Edit:
        return self.edits.setdefault(note.path, Edit(note, before=note.data))

    def finish(self) -> Plan:
        refused = {trouble.path for trouble in self.refused}
        writes = [edit.write() for path, edit in sorted(self.edits.items()) if path not in refused]
        # Figures first: a note never links to a picture that is not there yet.
        writes = [*self.wholes, *(write for write in writes if write.before != write.after)]
        busy = (
            {write.path for write in writes}
            | refused
            | {trouble.path for trouble in self.conflicts}
        )
        return Plan(
            writes=tuple(writes),
            unchanged=_unique(path for path in self.unchanged if path not in busy),
            kept=_unique(self.kept),
            conflicts=tuple(self.conflicts),
            refused=tuple(self.refused),
            lacking=tuple(self.lacking),
            warnings=(
                *self.warnings,
                *missing_block_warnings(self.lacking),
                *copy_warnings(self.snapshot),
            ),
            state=replace(
                self.state,
                notes=self.notes,
                blocks=self.blocks,
                deleted=tuple(sorted(self.deleted)),
                adopted=self.adopted,
                answers={key: answers for key, answers in self.answers.items() if answers},
            ),
        )


def _unique(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(paths)))
