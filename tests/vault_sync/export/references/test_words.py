"""References in French, in a short document, which counts through and lists nothing unasked."""

from __future__ import annotations

import pytest
from stand_ins.exported_documents import html_text
from stand_ins.reference_notes import TABLE

from experiments.workspace.workspace import Workspace
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export

NOTE = f"""\
# Essai

![](p.png){{#fig:a}}
*Une courbe.*

## Suite

![Autre courbe](p.png){{#fig:b}}

![Troisième](p.png) ^fig-c

*Des scores.*

{TABLE}

^tab-un

$$x$$ ^eq-x

Voir 1 [[#^eq-x]]| ; 2 [[#^tab-un|ce tableau]]| ; 3 @Tbl:un| ; 4 [@fig:a; @fig:b; @fig:c]|.
5 [[#Suite]]| ; 6 @fig:rien| ; 7 [@fig:a; @eq:x]| ; 8 \\eqref{{eq:x}}| ; 9 @tab-un| ; 10 @tab:un|.
"""


@pytest.fixture(scope="module")
def text(shared_folder):
    def make(folder):
        from PIL import Image  # noqa: PLC0415 - most tests draw nothing

        workspace = Workspace.create(folder, language="fr", title="Essai")
        workspace.vault.mkdir(exist_ok=True)
        Image.new("RGB", (60, 30)).save(workspace.vault / "p.png")
        workspace.vault.joinpath("note.md").write_text(NOTE, encoding="utf-8")
        export(workspace, ["note"], ExportOptions(to="html", lists=("table",)))

    folder = shared_folder("french-references", make)
    return html_text(folder / "export" / "note.html")


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("Voir 1", "équation (1)"),
        ("2", "ce tableau"),
        ("3", "Tableau 1"),
        ("4", "figures 1–3"),
        ("5", "section 1"),
        ("6", "figure ??"),
        ("7", "figure 1 et équation (1)"),
        ("8", "(1)"),
        ("9", "@tab-un"),
        ("10", "tableau 1"),
    ],
)
def test_a_reference_says_what_it_means(text, place, shown):
    assert f"{place} {shown}|" in text


def test_captions_have_the_words_of_the_language(text):
    assert "Figure 1 : Une courbe." in text
    assert "Figure 3 : Troisième" in text
    assert text.count("Tableau 1 : Des scores.") == 2  # in the list that was asked for, too
    assert "Liste des tableaux" in text
    assert "Table des figures" not in text
