"""Which notes make a thesis, in which order, and how links find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault_sync.engine.notes import Note
from vault_sync.export.reading.anchors import Anchors
from vault_sync.export.reading.link_index import LinkIndex
from vault_sync.export.selecting.selection import select
from vault_sync.rendering.words import Words

CHAPTERS = {
    "performance": "05-Results/Performance-Analysis",
    "comparison": "05-Results/Comparative-Studies",
    "runs": "05-Results/Runs",
    "pipeline": "Technical-Notes/{experiment}_monitor",
}


def shelf(*paths):
    notes = {}
    for path in paths:
        name, _, identity = path.partition("=")
        data = f"---\nthesis_id: {identity}\n---\n" if identity else ""
        notes[name] = Note(name, data.encode())
    return LinkIndex(Path("/vault"), notes, tuple(notes))


def chosen(one, *names, language="en", **options):
    made = select(one, CHAPTERS, Words(language), names, **options)
    return [entry.path if entry.note else entry.title for entry in made.entries]


def test_folders_come_by_their_numbers_and_the_rest_after_them():
    one = shelf("Ideas.md", "10-Last/a.md", "2-First/b.md", "2-First/a10.md", "2-First/a9.md")
    assert chosen(one) == [
        *("First", "2-First/a9.md", "2-First/a10.md", "2-First/b.md"),
        *("Last", "10-Last/a.md", "Ideas.md"),
    ]
    entries = select(one, CHAPTERS, Words("en")).entries
    assert [entry.appendix for entry in entries] == [False] * 6 + [True]


def test_chapters_keep_the_order_of_the_thesis():
    names = ("Comparative-Studies", "Annexe", "Performance-Analysis")
    one = shelf(*(f"05-Results/{name}.md" for name in names))
    assert chosen(one)[1:] == [
        "05-Results/Performance-Analysis.md",
        "05-Results/Comparative-Studies.md",
        "05-Results/Annexe.md",
    ]


def test_a_number_of_ones_own_wins():
    one = shelf("05-Results/2 Performance-Analysis.md", "05-Results/1 Zebra.md")
    assert chosen(one)[1] == "05-Results/1 Zebra.md"


def test_what_is_no_part_of_a_thesis_is_left_out_and_named():
    one = shelf(
        *("01-A/a.md", "Templates/t.md", "Weekly/2026-W47.md=weekly/2026-W47", "Dashboard.md"),
        *(
            "05-Results/Runs/v1@1.md=run/v1@1",
            "01-A/sketch.excalidraw.md",
            "d.md=chapter/dashboard",
        ),
    )
    assert chosen(one) == ["A", "01-A/a.md"]
    assert len(select(one, CHAPTERS, Words("en")).left_out) == 6


def test_runs_are_an_appendix():
    one = shelf(
        "01-A/a.md", "05-Results/Runs/v1@10.md=run/v1@10", "05-Results/Runs/v1@9.md=run/v1@9"
    )
    assert chosen(one, with_runs=True)[2:] == [
        "Runs",
        "05-Results/Runs/v1@9.md",
        "05-Results/Runs/v1@10.md",
    ]


def test_a_vault_without_numbers_has_no_appendix():
    entries = select(shelf("a.md", "B/b.md"), CHAPTERS, Words("en")).entries
    assert not any(entry.appendix for entry in entries)


def test_folders_are_called_as_the_language_calls_them():
    one = shelf("02-Literature-Review/a.md", "03_My_own part/b.md")
    assert chosen(one, language="fr")[::2] == ["Revue de la littérature", "My own part"]
    assert chosen(one)[::2] == ["Literature review", "My own part"]


def test_one_note_gives_the_document_its_title():
    (entry,) = select(shelf("01-A/a.md", "b.md"), CHAPTERS, Words("en"), ["01-A/a.md"]).entries
    assert entry.level == 0


@pytest.mark.parametrize(
    ("target", "home", "found"),
    [
        ("Note", "x.md", "a/Note.md"),
        ("note.MD", "x.md", "a/Note.md"),
        ("b/Note", "x.md", "a/b/Note.md"),
        ("Note", "a/b/x.md", "a/b/Note.md"),
        ("../Note", "a/b/x.md", "a/Note.md"),
        ("/a/b/Note", "x.md", "a/b/Note.md"),
        ("E\u0301te\u0301", "x.md", "\u00c9t\u00e9.md"),
        ("My%20Note", "x.md", "My Note.md"),
        ("c/Note", "x.md", None),
        ("../../etc/Note", "x.md", None),
        ("", "x.md", "x.md"),
    ],
)
def test_links_find_notes_as_obsidian_does(target, home, found):
    one = shelf("a/Note.md", "a/b/Note.md", "\u00c9t\u00e9.md", "My Note.md", "x.md", "a/b/x.md")
    assert one.note(target, home) == found


def test_ids_are_plain_and_never_the_same():
    anchors = Anchors()
    made = [anchors.new(text) for text in ("Été à 82 %", "Été à 82 %", "", "---", "1st", "é" * 99)]
    assert made[:2] == ["ete-a-82", "ete-a-82-2"]
    assert len(set(made)) == len(made)
    assert all(name[0].isalpha() and name.isascii() for name in made)
