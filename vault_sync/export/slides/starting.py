"""The note of slides that one begins with: an outline, filled with what the workspace has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import RefusedError, ThesisError
from vault_sync.commands.bind_numbers import quote
from vault_sync.commands.check_numbers import ProseNumbers
from vault_sync.commands.dry_run import find_vault
from vault_sync.commands.writing import write_notes
from vault_sync.engine.disk.names import note_path
from vault_sync.engine.plans import Write
from vault_sync.engine.text.properties import write_front_matter
from vault_sync.engine.vault_reader import read_vault
from vault_sync.export.reading.link_index import LinkIndex
from vault_sync.export.selecting.rules import SLIDES, is_slides
from vault_sync.rendering.jinja import render
from vault_sync.rendering.markdown import Safe, escape
from vault_sync.rendering.page import evaluation
from vault_sync.rendering.private_text import public
from vault_sync.rendering.sources import Sources
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.records.run import Run
    from experiments.workspace.workspace import Workspace

MOST = 4
"""Hypotheses and experiments of the outline: more are not said in a talk."""
ROWS = 12
"""Lines of a table that a slide takes."""
COST = "params.total"
_TABLE = re.compile(r"^\^(tbl-[\w-]+)[ \t]*$", re.MULTILINE)
_FIGURE = re.compile(
    r"^!\[[^\n]*\]\((?P<file>[^)\n]+)\)\n\n[*_](?P<caption>[^\n]+)[*_] \^(?P<id>fig-[\w-]+)[ \t]*$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class StarterNote:
    """The note that was written."""

    note: str
    """Path from the vault."""
    slides: int
    """How many it begins with."""


def start_slides(workspace: Workspace, name: str = "") -> StarterNote:
    """Write the note NAME, an outline of slides, into the vault.

    Raises:
        NotFoundError: there is no vault.
        RefusedError: such a note is there already, or NAME is no path inside the vault.
    """
    vault, words = find_vault(workspace), Words(workspace.language)
    index = LinkIndex.read(vault)
    standing = next((path for path in sorted(index.notes) if is_slides(index, path)), "")
    if standing and not name:
        raise RefusedError(
            f"{standing} is a note of slides already",
            "export it with: thesis vault export --to slides; another one needs a name:"
            " thesis vault slides NOTE",
        )
    path = note_path(name or str(words.say("slides.note")), "NOTE")
    if read_vault(vault).collision(path) is not None:
        raise RefusedError(f"{path} is there already", "name another: thesis vault slides NOTE")
    outline = _SlideOutline(workspace, index, words)
    text = render(words.language, "notes/slides", outline.values())
    front = write_front_matter({SLIDES: True})
    write = Write(path, None, f"{front}\n{text}".encode())
    outcome = write_notes(workspace, vault, [write], "vault slides")
    if path not in outcome.written:
        raise RefusedError(f"{path} was made by someone else meanwhile", "thesis vault slides NOTE")
    return StarterNote(path, len(re.findall(r"^---$", text, re.MULTILINE)) + 1)


class _SlideOutline:
    """Gathers what templates/<language>/notes/slides.jinja shows."""

    def __init__(self, workspace: Workspace, index: LinkIndex, words: Words) -> None:
        self.workspace = workspace
        self.index = index
        self.words = words
        sources = Sources(workspace)
        self.runs = [run for run in sources.latest if run.id not in sources.damage and run.sealed][
            :MOST
        ]

    def values(self) -> dict[str, object]:
        return {
            "title": escape(str(self.workspace.settings["title"] or self.workspace.root.name)),
            "hypotheses": list(self._hypotheses()),
            "drawings": self._pictures("architecture", "drawing")[-1:],
            **self._protocol(),
            "numbers": list(self._numbers()),
            "tables": [
                *self._tables("performance", "accuracy")[:1],
                *self._tables("performance", "costs")[:1],
            ],
            "figures": self._pictures("comparison", "comparison")
            or self._pictures("performance", "results")[:1],
            "conditions": self._conditions(),
        }

    def _hypotheses(self) -> Iterator[Safe]:
        for run in self.runs:
            if text := self.words.recorded(public(run.hypothesis)):
                yield self.words.say("slides.hypothesis", run=run.experiment, text=text)

    def _numbers(self) -> Iterator[Safe]:
        """Yield the metric that decides and the cost of each experiment, bound to its record."""
        prose = ProseNumbers(self.workspace)
        for run in self.runs:
            named = [run.primary.name] if run.primary else []
            for metric in (*named, COST):
                if line := self._number(prose, run, metric):
                    yield line

    def _number(self, prose: ProseNumbers, run: Run, metric: str) -> Safe | None:
        measured = run.metric(metric)
        if measured is None:
            return None
        try:
            snippet = quote(prose, f"{run.experiment} {metric}")
        except ThesisError:  # no record that can be relied on: the slide goes without
            return None
        return self.words.say(
            "slides.number",
            what=self.words.title(measured),
            run=run.experiment,
            number=Safe(str(snippet)),
        )

    def _protocol(self) -> dict[str, object]:
        """Return how the networks were trained: the table where a slide takes it, and its note."""
        path, text = self._chapter("methodology")
        short = len(re.findall(r"^\|", text, re.MULTILINE)) <= ROWS
        table = self._tables("methodology", "protocol")[:1]
        return {
            "protocol": table if short else [],
            "protocol_note": Safe(f"[[{path.removesuffix('.md')}]]") if table else "",
        }

    def _conditions(self) -> list[Safe]:
        """Say on what data the numbers rest, each once."""
        measured = (evaluation(run) for run in self.runs)
        return list(dict.fromkeys(self.words.claim(one) for one in measured if one))

    def _tables(self, chapter: str, word: str) -> list[Safe]:
        """Return embeds of the tables of a CHAPTER whose id holds WORD."""
        path, text = self._chapter(chapter)
        names = [name for name in _TABLE.findall(text) if word in name.split("-")]
        return [Safe(f"![[{path.removesuffix('.md')}#^{name}]]") for name in names]

    def _pictures(self, chapter: str, word: str) -> list[Safe]:
        """Return embeds of its pictures, with their captions: Obsidian shows no more of a block."""
        _, text = self._chapter(chapter)
        return [
            Safe(f"![[{_name(found['file'])}|{_plain(found['caption'])}]]")
            for found in _FIGURE.finditer(text)
            if word in found["id"].split("-")
        ]

    def _chapter(self, name: str) -> tuple[str, str]:
        for path in self.index.notes:
            if self.index.identity(path) == f"chapter/{name}":
                return path, self.index.body(path)[0]
        return "", ""


def _name(file: str) -> str:
    from urllib.parse import unquote  # noqa: PLC0415 - only here

    return unquote(file).strip("<>").rpartition("/")[2]


def _plain(caption: str) -> str:
    return re.sub(r"[\[\]|]", "", caption)
