"""Render everything a vault should hold, for the places where its notes stand now."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from experiments.records.seal import MEND
from featherface.errors import DataError, RefusedError, unknown
from vault_sync.content import saved_comparisons
from vault_sync.content.bodies import render_body, templates
from vault_sync.content.chapters import planned_notes, skeleton
from vault_sync.engine.plans import Trouble, Wanted, WantedBlock, WantedFile, WantedNote
from vault_sync.rendering.context import Page
from vault_sync.rendering.figures import Figures
from vault_sync.rendering.links import Links, LinkStyle, count_basenames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from vault_sync.content.chapters import Planned
    from vault_sync.engine.notes import Snapshot
    from vault_sync.engine.state import State
    from vault_sync.rendering.context import Sources


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
        kept = sources.workspace.state / "cache" / "figures"
        self.figures = Figures(kept, self.style, sources.words.language)
        self.refused: list[Trouble] = []
        self.warnings: list[str] = []
        self.planned = list(planned_notes(sources))
        self.places = {one.id: self._place(one) for one in self.planned}
        new = [path for path in self.places.values() if path and path not in snapshot.notes]
        self.basenames = Counter(count_basenames(snapshot.notes)) + Counter(count_basenames(new))

    def note(self, identity: str) -> Wanted:
        """Render the blocks of one note alone, as `compose` does among all others."""
        notes = tuple(self._note(one) for one in self.planned if one.id == identity)
        files = tuple(WantedFile(*item) for item in sorted(self.figures.wanted.items()))
        return Wanted(notes, (), files, tuple(self.refused), tuple(dict.fromkeys(self.warnings)))

    def compose(self) -> Wanted:
        """Render every note, and every block that a student asked for."""
        for run_id, how in self.sources.damage.items():
            reason = f"{run_id} was changed after it was sealed: {how}"
            self.refused.append(Trouble(self.sources.folder(run_id), reason))
        for run_id, how in self.sources.unreadable.items():
            self.refused.append(Trouble(self.sources.folder(run_id), how))
        notes = tuple(self._note(one) for one in self.planned)
        known = {block.id for note in notes for block in note.blocks}
        known |= {block_id for one in self.planned for block_id, _ in one.blocks}
        asked = tuple(self._asked(known))
        files = tuple(WantedFile(*item) for item in sorted(self.figures.wanted.items()))
        warnings = tuple(dict.fromkeys(self.warnings))
        return Wanted(notes, asked, files, tuple(_told_once(self.refused)), warnings)

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

    def _place(self, planned: Planned) -> str | None:
        """Return where a note stands or will stand; None where the student deleted it."""
        carriers = self.snapshot.by_id.get(planned.id)
        if carriers:
            return carriers[0].path
        if planned.path in self.snapshot.notes or self.recreate:
            return planned.path
        gone = planned.id in self.state.notes or planned.id in self.state.deleted
        return None if gone else planned.path

    def _note(self, planned: Planned) -> WantedNote:
        blocks = [self._block(*one, {}, self._home(one[0], planned)) for one in planned.blocks]
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

    def _comparisons(self, planned: Planned, main: WantedBlock | None) -> list[WantedBlock | None]:
        """Render the comparisons that were asked for, after the chapter's own one."""
        shown = [run.id for run in self.sources.latest]
        found: list[WantedBlock | None] = []
        after = main.id if main else "comparison"
        for runs in saved_comparisons.read(self.sources.workspace):
            block_id = saved_comparisons.block_id(runs)
            if sorted(runs) == sorted(shown) and block_id not in self.snapshot.blocks:
                continue
            home = self._home(block_id, planned)
            attributes = {"runs": ",".join(runs)}
            found.append(self._block(block_id, "comparison", attributes, home, after=after))
            after = block_id
        return found

    def _home(self, block_id: str, planned: Planned) -> str:
        """Return the note in which a block stands, which decides its links."""
        places = self.snapshot.blocks.get(block_id)
        return places[0][0].path if places else self.places[planned.id] or planned.path

    def _asked(self, known: set[str]) -> list[WantedBlock]:
        """Render the blocks that students put into the vault by markers of their own."""
        found = []
        for block_id, places in self.snapshot.blocks.items():
            note, block = places[0]
            if block_id in known or note.scan.faults or not block.template:
                continue
            if block.template not in self.templates:
                reason = unknown("report template", block.template, self.templates)
                self.refused.append(Trouble(note.path, reason, block.line))
                continue
            made = self._block(block_id, block.template, block.attributes, note.path)
            if made is not None:
                found.append(made)
        return found

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
            body = render_body(self.page(block_id, attributes, note), template)
        except (RefusedError, DataError) as error:
            line = places[0][1].line if places else 0
            self.refused.append(Trouble(note, f"block {block_id!r}: {error.message}", line))
            return None
        return WantedBlock(block_id, template, body, dict(attributes), after)


def _told_once(refused: Iterable[Trouble]) -> Iterator[Trouble]:
    """Leave out the blocks that wait for the line ends of a record, which is told itself."""
    return (one for one in refused if not (one.line and MEND in one.reason))
