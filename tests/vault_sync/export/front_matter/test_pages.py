"""The pages before the first chapter: the same words in each format, and no more."""

from __future__ import annotations

import html
import re
import zipfile

import pytest

from experiments.workspace.workspace import Workspace
from featherface.errors import NotFoundError
from vault_sync.export import document_writer
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export
from vault_sync.export.formats import DOCUMENTS
from vault_sync.export.front_matter.details import day
from vault_sync.export.reading import pandoc
from vault_sync.rendering.words import Words

FACE = """
[document]
subtitle = "Un sous-titre & plus"
institution = "Université d'Ici"
degree = "mémoire"
discipline = "Informatique"
supervisors = ["Anne Martin, LIRIS"]
place = "Lyon"
defence = 2026-06-01
deposit = "2026-05"
abstract = "Front/Abstract"
resume = "Un résumé : *court* et « clair » [@kim2025featherface]."
keywords = ["faces"]
mots_cles = ["visages", "réseaux"]
acknowledgements = "Front/Merci"
declarations = ["Front/Honneur"]
dedication = "À tous."
logo = "logo.png"
[[document.jury]]
name = "Claire Dupont"
role = "Présidente"
affiliation = "ENS"
[[document.jury]]
name = "Karim Benali"
role = "Rapporteur"
"""
NOTES = {
    "Front/Abstract.md": '# Abstract\n\nWe study "faces": see [[a]].\n',
    "Front/Merci.md": "Merci à Zoé.\n",
    "Front/Honneur.md": "# Sur l'honneur\n\nC'est mon travail.\n",
    "01-A/a.md": "# Chapitre\n\nTexte.\n",
    "02-B/b.md": "# Autre\n\nTexte.\n",
}
ORDER = (
    *("Université d’Ici", "Mémoire de master", "Discipline\u202f: Informatique", "Un titre"),
    *("Un sous-titre & plus", "par", "É. Auteur", "Sous la direction de", "Anne Martin, LIRIS"),
    *("Jury", "Claire Dupont", "ENS", "Présidente", "Karim Benali", "Rapporteur"),
    *("Soutenance\u202f: Lyon, le 1er juin 2026", "Dépôt\u202f: mai 2026"),
    *("Sur l’honneur", "C’est mon travail.", "À tous.", "Remerciements", "Merci à Zoé."),
    *("Résumé", "Un résumé\u202f: court et «\u202fclair\u202f» (Kim", "Mots-clés\u202f:"),
    *("visages, réseaux", "Abstract", "We study “faces”: see Chapitre.", "Keywords:", "faces"),
    *("Table des matières", "Chapitre", "Autre"),
)
"""What a reader meets, in this order."""


def make(root):
    workspace = Workspace.create(root, language="fr", title="Un titre", author="É. Auteur")
    settings = root / "thesis.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + FACE, encoding="utf-8")
    for path, text in NOTES.items():
        file = workspace.vault / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    from PIL import Image  # noqa: PLC0415 - one picture

    Image.new("RGB", (60, 20), "navy").save(root / "logo.png")


@pytest.fixture
def titled(tmp_path):
    make(tmp_path / "thesis")
    return Workspace.open(tmp_path / "thesis")


def spaced(text):
    return re.sub(r"[ \n\t\u00a0]+", " ", text)


def words_of(done):
    """Return the words of an HTML page or a Word document as a reader meets them."""
    if done.format == "html":
        body = done.output.read_text(encoding="utf-8").partition("<body>")[2]
        text = re.sub(r"</?(?:em|span|a)\b[^>]*>", "", body)
        return spaced(html.unescape(re.sub(r"<[^>]+>", " ", text)))
    with zipfile.ZipFile(done.output) as archive:
        text = archive.read("word/document.xml").decode("utf-8")
    return spaced(html.unescape(re.sub(r"<[^>]+>", "", text.replace("</w:p>", "\n"))))


def test_what_stands_there_is_told(titled):
    done = export(titled, (), ExportOptions(to="html"))
    assert done.front == (
        *("title-page", "declarations", "dedication", "acknowledgements", "resume", "abstract"),
    )
    assert done.front_empty == ()
    assert done.notes == (
        "Front/Honneur.md",
        "Front/Merci.md",
        "Front/Abstract.md",
        "01-A/a.md",
        "02-B/b.md",
    )
    assert done.left_out == ()
    assert done.warnings == ()


@pytest.mark.parametrize("name", ["html", "docx"])
def test_a_reader_meets_it_all_in_order(titled, name):
    text = words_of(export(titled, (), ExportOptions(to=name)))
    place = 0
    for words in ORDER:
        assert words in text[place:], f"{words!r} is not after {text[place - 60 : place]!r}"
        place = text.index(words, place) + len(words)


def test_latex_holds_each_line_in_an_environment_of_its_own(titled):
    done = export(titled, (), ExportOptions(to="latex"))
    text = done.output.read_text(encoding="utf-8")
    body = text.partition("\\begin{document}")[2]
    names = re.findall(r"\\begin\{(front\w+)\}", body)
    assert names[:6] == [
        *("fronttitlepage", "frontlogo", "frontinstitution", "frontdegree", "frontdiscipline"),
        "fronttitle",
    ]
    assert all(f"\\newenvironment{{{name}}}" in text for name in set(names))
    assert body.index("\\tableofcontents") < body.index("\\chapter{A}")
    assert "\\begin{otherlanguage}{british}" in body
    assert "\\newcommand{\\ThesisDegree}{Mémoire de master}" in text
    assert "\\newcommand{\\ThesisSubtitle}{Un sous-titre \\& plus}" in text
    assert "\\newcommand{\\ThesisFaculty}{}" in text
    assert (done.output.parent / "thesis-figures" / "logo.png").is_file()


def test_typst_sets_them_on_pages_with_roman_numbers(titled, monkeypatch):
    sources = []

    def keep(source, output):
        sources.append(source.read_text(encoding="utf-8"))
        return compiled(source, output)

    compiled = pandoc.compile_typst
    monkeypatch.setattr(document_writer.pandoc, "compile_typst", keep)
    done = export(titled, (), ExportOptions(to="pdf"))
    assert done.pages == 10  # with the table of contents and the references
    (text,) = sources
    assert re.search(r"#front-title\[\s*Un titre", text)
    assert (
        text.index('numbering: "i"') < text.index("#front-page[") < text.index("outline(title: [")
    )


def test_nothing_stands_where_nothing_is_told(workspace):
    for path in ("01-A/a.md", "02-B/b.md"):
        (workspace.vault / path).parent.mkdir()
        (workspace.vault / path).write_text("# T\n\ntext\n", encoding="utf-8")
    done = export(workspace, (), ExportOptions(to="html"))
    body = done.output.read_text(encoding="utf-8").partition("<body>")[2]
    assert set(re.findall(r'class="front-([\w-]+)', body)) == {
        *("title-page", "title", "label", "author", "space"),
    }
    assert set(done.front_empty) == {
        *("institution", "degree", "discipline", "supervisors", "jury", "place", "deposit"),
        *("defence", "logo", "abstract", "keywords", "resume", "mots_cles", "declarations"),
        *("dedication", "acknowledgements"),
    }


def test_an_empty_note_is_told_and_no_page(titled):
    (titled.vault / "Front" / "Merci.md").write_text("---\na: b\n---\n\n", encoding="utf-8")
    done = export(titled, (), ExportOptions(to="html"))
    assert done.front_empty == ("acknowledgements",)
    assert "acknowledgements" not in done.front
    assert "Remerciements" not in done.output.read_text(encoding="utf-8")


@pytest.mark.parametrize("value", ["Front/Abstrat", "Abstract.md", "Front/Abstracts.md"])
def test_a_mistyped_note_is_answered_with_the_nearest(titled, value):
    settings = titled.root / "thesis.toml"
    if value == "Abstract.md":
        (titled.vault / "Front" / "Abstract.md").rename(titled.vault / "Front" / "Summary.md")
    text = settings.read_text(encoding="utf-8").replace("Front/Abstract", value)
    settings.write_text(text, encoding="utf-8")
    with pytest.raises(NotFoundError, match=r"document\.abstract: no note") as caught:
        export(Workspace.open(titled.root), (), ExportOptions(to="html"))
    assert "[document]" in caught.value.hint


def test_named_notes_have_no_front_pages(titled):
    done = export(titled, ["a"], ExportOptions(to="html"))
    assert (done.front, done.front_empty) == ((), ())
    assert "Université" not in done.output.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "french", "english"),
    [
        ("2026-06-01", "1er juin 2026", "1 June 2026"),
        ("2026-12-25", "25 décembre 2026", "25 December 2026"),
        ("2026-08", "août 2026", "August 2026"),
        ("2026", "2026", "2026"),
        ("", "", ""),
    ],
)
def test_days_are_written_as_the_language_does(value, french, english):
    assert day(value, Words("fr")) == french
    assert day(value, Words("en")) == english


def test_every_format_is_looked_at():
    assert set(DOCUMENTS) == {"html", "docx", "latex", "pdf"}
