"""What [export] and the notes themselves say of what goes in, and why the rest stays out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featherface.errors import NotFoundError
from vault_sync.engine.notes import Note
from vault_sync.export.reading.link_index import LinkIndex
from vault_sync.export.selecting import globs
from vault_sync.export.selecting.obsidian_folders import ObsidianFolders, read_folders
from vault_sync.export.selecting.rules import REASONS, SelectionRules
from vault_sync.export.selecting.selection import select
from vault_sync.export.selecting.titles import folder_title, roman
from vault_sync.rendering.words import Words

CHAPTERS = {"performance": "05-Results/Performance-Analysis", "log-template": "Modèles/Journal"}


def shelf(*paths, root=Path("/vault")):
    """Make an index; `path=property: value` gives a note that property."""
    notes = {}
    for path in paths:
        name, _, line = path.partition("=")
        notes[name] = Note(name, f"---\n{line}\n---\ntext\n".encode() if line else b"text\n")
    return LinkIndex(root, notes, tuple(notes))


def made(index, language="en", **rules):
    return select(index, CHAPTERS, Words(language), rules=SelectionRules(**rules))


def outline(index, **rules):
    entries = made(index, **rules).entries
    told = [entry.number + (entry.title or entry.path) for entry in entries]
    levels = [f"{'A' if entry.appendix else ''}{entry.level}" for entry in entries]
    return [f"{level} {text}" for level, text in zip(levels, told, strict=True)]


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("Runs/v1@1.md=thesis_id: run/v1@1", "runs"),
        ("G/v1@1.md=thesis_id: gallery/v1@1", "galleries"),
        ("Log/v1.md=thesis_id: pipeline/v1", "management"),
        ("Board.md=thesis_id: chapter/milestones", "management"),
        ("Week.md=thesis_id: weekly/2026-W47", "weekly"),
        ("Weekly/x.md", "weekly"),
        ("templates/x.md", "templates"),
        ("Modèles/Journal.md", "templates"),
        ("a/sketch.excalidraw.md", "drawings"),
        ("a/drawn.md=excalidraw-plugin: parsed", "drawings"),
        ("a/todo.md=kanban-plugin: basic", "drawings"),
        ("a/README.md", "readmes"),
        ("CHANGELOG.md", "readmes"),
        ("a/2026-03-01.md", "days"),
        ("2026-W07.md", "days"),
        ("a/x.md=export: false", "property"),
        ("a/x.md=export: no", "property"),
        ("a/x.md", ""),
        ("a/2026-03-01 A title.md", ""),
        ("a/Read me first.md", ""),
        ("a/x.md=export: whatever", ""),
    ],
)
def test_each_kind_of_note_stays_out_for_its_reason(note, reason):
    index = shelf(note, "b/always.md")
    reasons = made(index).reasons
    assert reasons == ({note.partition("=")[0]: reason} if reason else {})
    assert reason in (*REASONS, "")


@pytest.mark.parametrize(
    ("pattern", "note"),
    [
        ("Board", "Board.md=thesis_id: chapter/milestones"),
        ("Weekly", "Weekly/x.md"),
        ("a/2026-03-01.md", "a/2026-03-01.md"),
        ("Runs", "Runs/v1@1.md=thesis_id: run/v1@1"),
    ],
)
def test_what_is_named_goes_in_all_the_same(pattern, note):
    assert not made(shelf(note), include=(pattern,)).reasons


def test_a_folder_around_them_asks_for_no_runs():
    index = shelf("05/Runs/v1@1.md=thesis_id: run/v1@1", "05/a.md", "05/README.md")
    left = made(index, include=("05", "05/**")).reasons
    assert left == {"05/Runs/v1@1.md": "runs", "05/README.md": "readmes"}


def test_a_note_may_ask_for_itself():
    assert not made(shelf("a/README.md=export: true")).reasons


def test_excluded_wins_over_included():
    index = shelf("Draft/a.md", "Text/a.md", "Text/old/b.md", "c.md")
    left = made(index, include=("Text/**",), exclude=("**/old/**", "Draft")).reasons
    assert left == {
        "Draft/a.md": "excluded",
        "Text/old/b.md": "excluded",
        "c.md": "not-included",
    }


def test_folders_come_from_obsidian_itself(tmp_path):
    settings = tmp_path / ".obsidian"
    plugin = settings / "plugins" / "templater-obsidian"
    periodic = settings / "plugins" / "periodic-notes"
    for folder in (plugin, periodic):
        folder.mkdir(parents=True)
    (settings / "templates.json").write_text('{"folder": "Modèles/"}', encoding="utf-8")
    (settings / "daily-notes.json").write_text(json.dumps({"folder": "Journal"}), encoding="utf-8")
    (plugin / "data.json").write_text('{"templates_folder": "/"}', encoding="utf-8")
    (periodic / "data.json").write_text('{"weekly": {"folder": "Sem"}}', encoding="utf-8")
    assert read_folders(tmp_path) == ObsidianFolders(("Modèles",), ("Journal", "Sem"))
    left = made(shelf("modèles/a.md", "Journal/b.md", "Journal 2/c.md", root=tmp_path)).reasons
    assert left == {"modèles/a.md": "templates", "Journal/b.md": "days"}


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"folder": 3}'])
def test_spoilt_settings_of_obsidian_name_no_folder(tmp_path, content):
    (tmp_path / ".obsidian").mkdir()
    (tmp_path / ".obsidian" / "templates.json").write_text(content, encoding="utf-8")
    assert read_folders(tmp_path) == ObsidianFolders()


def test_the_order_moves_what_it_names_and_nothing_else():
    index = shelf("01-A/x.md", "01-A/y.md", "02-B/z.md", "03-C/w.md")
    assert outline(index, order=("03-*", "01-A/y")) == [
        *("1 C", "2 03-C/w.md", "1 A", "2 01-A/y.md", "2 01-A/x.md", "1 B", "2 02-B/z.md"),
    ]


def test_parts_group_chapters_and_leave_the_ends_alone():
    index = shelf("01-Intro/a.md", "02-B/b.md", "03-C/c.md", "04-D/d.md", "09 End.md")
    rules = {"Ground": ("03-C", "02-*"), "Work": ("04-*",)}
    assert outline(index, parts=rules) == [
        *("1 Intro", "2 01-Intro/a.md"),
        *("1 IGround", "1 C", "2 03-C/c.md", "1 B", "2 02-B/b.md"),
        *("1 IIWork", "1 D", "2 04-D/d.md"),
        "1 09 End.md",
    ]


def test_appendices_are_those_that_are_named_or_say_so():
    index = shelf("01-A/a.md", "01-A/b.md=export: appendix", "Extra/c.md", "Data/d.md")
    assert outline(index, appendices=("Extra",)) == [
        *("1 A", "2 01-A/a.md", "1 Data", "2 Data/d.md"),
        *("A1 A", "A2 01-A/b.md", "A1 Extra", "A2 Extra/c.md"),
    ]


def test_nested_folders_are_sections_and_their_own_notes_speak_for_them():
    index = shelf(
        *("01-A/a.md", "01-A/02_deep/x.md", "01-A/02_deep/y/z.md"),
        *("02-B/02-B.md", "02-B/c.md", "03-C/index.md"),
    )
    assert outline(index) == [
        *("1 A", "2 Deep", "3 01-A/02_deep/x.md", "3 Y", "4 01-A/02_deep/y/z.md", "2 01-A/a.md"),
        *("1 02-B/02-B.md", "2 02-B/c.md", "1 03-C/index.md"),
    ]


def test_a_folder_around_all_chapters_is_no_chapter():
    index = shelf("Thesis/01-A/a.md", "Thesis/02-B/b.md")
    assert outline(index) == ["1 A", "2 Thesis/01-A/a.md", "1 B", "2 Thesis/02-B/b.md"]


def test_no_heading_is_lower_than_formats_know():
    (*_, last) = made(shelf("1/2/3/4/5/6/7/a.md")).entries
    assert last.level == 5


@pytest.mark.parametrize("key", ["include", "order", "appendices"])
def test_a_name_that_means_nothing_is_answered_with_the_nearest(key):
    with pytest.raises(NotFoundError, match=rf"export\.{key}.*did you mean '01-Intro'") as caught:
        made(shelf("01-Intro/a.md"), **{key: ("01-Intr",)})
    assert "--dry-run" in caught.value.hint


def test_a_part_without_chapters_is_an_error_even_by_a_pattern():
    with pytest.raises(NotFoundError, match=r"export\.parts.*'09-\*'"):
        made(shelf("01-A/a.md"), parts={"X": ("09-*",)})


@pytest.mark.parametrize(
    ("folder", "title"),
    [
        ("02_revue-de-presse", "Revue de presse"),
        ("_Notes", "Notes"),
        ("📊 Results", "Results"),
        ("03. Méthode", "Méthode"),
        ("1.2 Data", "Data"),
        ("2026", "2026"),
        ("02-Literature-Review", "Literature review"),
        ("Deep/01-Results", "Results"),
        ("++", "++"),
        ("3D models", "3D models"),
        ("01Intro", "Intro"),
    ],
)
def test_titles_of_folders_are_clean(folder, title):
    assert folder_title(folder, Words("en")) == title


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("a", "a/b/c.md", True),
        ("a/b", "a/b.md", True),
        ("a/b.md", "a/b.md", True),
        ("A/É*", "a/été.md", True),
        ("*/c", "a/b/c.md", False),
        ("**/c", "a/b/c.md", True),
        ("**/c", "c.md", True),
        ("a/**", "a/b/c.md", True),
        ("a?/[bc]*", "a1/cd.md", True),
        ("a", "ab/c.md", False),
        ("b", "a/b.md", False),
        ("a(1)+", "a(1)+/x.md", True),
    ],
)
def test_patterns_cover_notes(pattern, path, covered):
    assert globs.covers(pattern, path) is covered


names = st.text(alphabet="ab1 .-é", min_size=1, max_size=6).filter(lambda name: name.strip(". "))


@given(st.lists(names, min_size=1, max_size=4))
def test_a_path_names_itself_and_is_covered_by_what_holds_it(parts):
    path = "/".join(parts) + ".md"
    assert globs.names(path, path)
    assert all(globs.covers("/".join(parts[:count]), path) for count in range(1, len(parts) + 1))
    assert globs.covers("**", path)


def test_numbers_of_parts():
    assert [roman(number) for number in (1, 4, 9, 14)] == ["I", "IV", "IX", "XIV"]
