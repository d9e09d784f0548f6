"""Names of files and folders as titles: no numbers, emoji or underscores that only sort them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export
from vault_sync.export.reading.titles import title_of_note, without_emoji


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("01 Data", "Data"),
        ("1. Data", "Data"),
        ("2.1_Data", "Data"),
        ("3 - Data", "Data"),
        ("10-Results", "Results"),
        ("3 networks compared", "3 networks compared"),
        ("3D faces", "3D faces"),
        ("2026 review", "2026 review"),
        ("my_note", "my_note"),
        ("_draft_", "draft"),
        ("🔥 Hot", "Hot"),
        ("01", "01"),
    ],
)
def test_titles_of_notes(name, title):
    assert title_of_note(name) == title


@given(st.text())
def test_a_title_is_never_empty_where_the_name_is_not(name):
    assert bool(title_of_note(name)) == bool(name)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Z"])))
def test_letters_are_no_emoji(text):
    assert without_emoji(text) == " ".join(text.split())


def test_in_a_document(workspace):
    folder = workspace.vault / "02 🧪_Experiments_"
    folder.mkdir()
    (folder / "01 - Faces.md").write_text("Text.\n", encoding="utf-8")
    text = export(workspace, (), ExportOptions(to="html")).output.read_text(encoding="utf-8")
    assert "</span> Experiments</h1>" in text
    assert "</span> Faces</h2>" in text
