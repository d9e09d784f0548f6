"""Render all blocks that a vault should hold, with links from where its notes stand now."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from experiments.records.seal import MEND
from featherface.errors import DataError, RefusedError, unknown
from vault_sync.content import saved_comparisons
from vault_sync.content.bodies import block_body, templates
from vault_sync.content.chapters import planned_notes, skeleton
from vault_sync.engine.plans import Trouble, Wanted, WantedBlock, WantedFile, WantedNote
from vault_sync.engine.text.markers import normalise
from vault_sync.rendering.figures import Figures
from vault_sync.rendering.links import Links, LinkStyle, count_basenames
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import Page
from vault_sync.rendering.sources import RemovedRunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from vault_sync.content.chapters import PlannedNote
    from vault_sync.engine.notes import Snapshot
    from vault_sync.engine.state import State
    from vault_sync.rendering.sources import Sources


class Composer:
    """Renders the blocks of one sync."""

    def __init__(
        self, sources: Sources, snapshot: Snapshot, state: State, vault: Path, *, recreate: bool
    ) -> None:
        self.sources = sources
        self.snapshot = snapshot
        self.state = state
        self.recreate = recreate
        self.style = LinkStyle.read(vault)
        cache = sources.workspace.state / "cache" / "figures"
        self.figures = Figures(cache, self.style, sources.words.language)
        self.refused: list[Trouble] = []
        self.warnings: list[str] = []
        self.planned = [
            note
            for note in planned_notes(sources)
            if not note.only_standing or note.id in snapshot.by_id
        ]
        self.places = {note.id: self._place(note) for note in self.planned}
        new = [path for path in self.places.values() if path and path not in snapshot.notes]
        self.basenames = Counter(count_basenames(snapshot.notes)) + Counter(count_basenames(new))

    def note(self, identity: str) -> Wanted:
        """Render the blocks of one note alone, as `compose` does among all others."""
        notes = tuple(self._note(note) for note in self.planned if note.id == identity)
        files = tuple(WantedFile(*item) for item in sorted(self.figures.wanted.items()))
        return Wanted(notes, (), files, tuple(self.refused), tuple(dict.fromkeys(self.warnings)))

    def compose(self) -> Wanted:
        """Render every note, and every block that a student asked for."""
        for run_id, how in self.sources.damage.items():
            reason = f"{run_id} was changed after it was sealed: {how}"
            self.refused.append(Trouble(self.sources.folder(run_id), reason))
        for run_id, how in self.sources.unreadable.items():
            self.refused.append(Trouble(self.sources.folder(run_id), how))
        notes = tuple(self._note(note) for note in self.planned)
        known = {block.id for note in notes for block in note.blocks}
        known |= {block_id for note in self.planned for block_id, _ in note.blocks}
        requested = tuple(self._requested(known))
        files = tuple(WantedFile(*item) for item in sorted(self.figures.wanted.items()))
        warnings = tuple(dict.fromkeys(self.warnings))
        return Wanted(notes, requested, files, tuple(_without_repeats(self.refused)), warnings)

    @cached_property
    def templates(self) -> tuple[str, ...]:
        """What a marker may name as its template."""
        return templates(self.sources.workspace)

    def page(self, block_id: str, attributes: Mapping[str, str], note: str) -> Page:
        """Return what a block that stands in NOTE may draw on."""
        links = Links(note, self.style, self.places, self.basenames)
        return Page(
            sources=self.sources,
            links=links,
            figures=self.figures,
            block_id=block_id,
            attributes=attributes,
            warnings=self.warnings,
            snapshot=self.snapshot,
            state=self.state,
        )

    def _place(self, planned: PlannedNote) -> str | None:
        """Return where a note stands or will stand; None where the student deleted it."""
        carriers = self.snapshot.by_id.get(planned.id)
        if carriers:
            return carriers[0].path
        if planned.path in self.snapshot.notes or self.recreate:
            return planned.path
        gone = planned.id in self.state.notes or planned.id in self.state.deleted
        return None if gone else planned.path

    def _note(self, planned: PlannedNote) -> WantedNote:
        blocks = [
            self._block(*block, {}, self._home(block[0], planned)) for block in planned.blocks
        ]
        if planned.id == "chapter/comparison":
            blocks += self._comparisons(planned, blocks[-1])
        standing = planned.id in self.snapshot.by_id
        return WantedNote(
            id=planned.id,
            path=planned.path,
            skeleton=b"" if standing else skeleton(planned, self.sources),
            blocks=tuple(block for block in blocks if block is not None),
            properties=planned.properties,
        )

    def _comparisons(
        self, planned: PlannedNote, main: WantedBlock | None
    ) -> list[WantedBlock | None]:
        """Render the comparisons that were asked for, after the chapter's own one."""
        latest = [run.id for run in self.sources.latest]
        blocks: list[WantedBlock | None] = []
        after = main.id if main else "comparison"
        for runs in saved_comparisons.read(self.sources.workspace):
            block_id = saved_comparisons.block_id(runs)
            if sorted(runs) == sorted(latest) and block_id not in self.snapshot.blocks:
                continue
            home = self._home(block_id, planned)
            attributes = {"runs": ",".join(runs)}
            blocks.append(self._block(block_id, "comparison", attributes, home, after=after))
            after = block_id
        return blocks

    def _home(self, block_id: str, planned: PlannedNote) -> str:
        """Return the note in which a block stands, which decides its links."""
        places = self.snapshot.blocks.get(block_id)
        return places[0][0].path if places else self.places[planned.id] or planned.path

    def _requested(self, known: set[str]) -> list[WantedBlock]:
        """Render the blocks that students put into the vault by markers of their own."""
        requested = []
        for block_id, places in self.snapshot.blocks.items():
            note, block = places[0]
            if block_id in known or note.scan.faults or not block.template:
                continue
            if block.template not in self.templates:
                reason = unknown("report template", block.template, self.templates)
                self.refused.append(Trouble(note.path, reason, block.line))
                continue
            wanted = self._block(block_id, block.template, block.attributes, note.path)
            if wanted is not None:
                requested.append(wanted)
        return requested

    def _block(
        self,
        block_id: str,
        template: str,
        attributes: Mapping[str, str],
        note: str,
        *,
        after: str = "",
    ) -> WantedBlock | None:
        """Render one block; None where it can't be, which is reported."""
        places = self.snapshot.blocks.get(block_id)
        if places:
            attributes = {**places[0][1].attributes, **attributes}
        try:
            body = block_body(self.page(block_id, attributes, note), template)
        except RemovedRunError as error:
            body = self._farewell(error)
        except (RefusedError, DataError) as error:
            line = places[0][1].line if places else 0
            self.refused.append(Trouble(note, f"block {block_id!r}: {error.message}", line))
            return None
        return WantedBlock(block_id, template, body, dict(attributes), after)

    def _farewell(self, error: RemovedRunError) -> bytes:
        """Say in place of a block's text that a run in it was taken out of the thesis."""
        words = self.sources.words
        command = f"thesis runs restore {error.run}"
        values = {"run": error.run, "date": words.date(error.time), "command": Safe(command)}
        return normalise(words.say("removed.block", **values).encode())


def _without_repeats(refused: Iterable[Trouble]) -> Iterator[Trouble]:
    """Leave out blocks of a record whose line ends are to be mended: the record is listed."""
    return (trouble for trouble in refused if not (trouble.line and MEND in trouble.reason))
