"""One thesis has one count: every format shows the same numbers, and references say them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from stand_ins.exported_documents import WordDocument, html_text, latex_text, pdf_text
from stand_ins.reference_notes import FOLDERS, NOTES, write_notes

from experiments.workspace.workspace import Workspace
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export

SUFFIXES = {"html": "html", "latex": "tex", "docx": "docx", "pdf": "pdf"}


def make(folder):
    """Export the notes to every format."""
    workspace = Workspace.create(folder, title="References", author="A. Student")
    workspace.vault.mkdir(exist_ok=True)
    write_notes(workspace.vault)
    done = {name: export(workspace, (), ExportOptions(to=name)) for name in SUFFIXES}
    told = {name: report.warnings for name, report in done.items()}
    folder.joinpath("told.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture(scope="module")
def documents(shared_folder):
    return shared_folder("numbered-documents", make)


def path_of(documents, name):
    return documents / "export" / f"thesis.{SUFFIXES[name]}"


READERS = {
    "html": html_text,
    "latex": latex_text,
    "docx": lambda path: WordDocument(path).text,
}


@pytest.mark.parametrize("name", READERS)
def test_every_way_of_writing_is_numbered_and_referred_to(documents, name):
    assert not wrong(READERS[name](path_of(documents, name)))


@pytest.mark.external
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext reads the PDF")
def test_typst_shows_the_same_numbers(documents):
    assert not wrong(pdf_text(path_of(documents, "pdf")))


@pytest.mark.external
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext reads the PDF")
@pytest.mark.parametrize("engine", ["lualatex", "xelatex", "pdflatex"])
def test_latex_counts_the_same_numbers(documents, tmp_path, engine):
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    source = path_of(documents, "latex")
    command = [engine, "-interaction=nonstopmode", f"-output-directory={tmp_path}", source.name]
    for _ in range(3):
        done = subprocess.run(command, cwd=source.parent, capture_output=True, check=False)
    if b"not found" in done.stdout:
        pytest.skip(f"the TeX that is installed lacks packages for {engine}")
    assert done.returncode == 0, done.stdout[-2000:].decode("utf-8", "replace")
    assert not wrong(pdf_text(tmp_path / "thesis.pdf"))


def wrong(text):
    """Return what a reader finds otherwise than the notes say."""
    found = []
    text = re.sub(r"(?<=noted) ?\d+", "", text)  # the mark of a note at the foot
    for note in NOTES.values():
        for words, number in note.numbers.items():
            shown = shown_at(text, words)
            found += [(words, shown, number)] if shown != set(number.split(" and ")) else []
        for words, reference in note.references.items():
            shown = set(re.findall(rf"{words} ([^|]*?) ?\|", text))
            found += [(words, shown, reference)] if shown != {reference} else []
        found += [
            (words, "has a number", "")
            for words in note.without
            if re.search(rf"(?:Figure|Table) [\w.]+ ?:? {words}", text)
        ]
    return found


def shown_at(text, words):
    """Return the numbers before a caption, or behind the formula after WORDS."""
    if not words.startswith("Law"):
        numbers = re.findall(rf"((?:Figure|Table) [\w.]+) ?: {words}", text)
        return set(numbers)
    after = re.findall(rf"{words}\b(.*?)(?:Law|Title|Table|Figure|Back|\Z)", text)
    return {"".join(re.findall(r"\((?:[\dA]+\.\d+|†)\)", part)) for part in after}


def test_the_notes_are_many():
    assert len(NOTES) >= 60
    assert sum(len(notes) for notes in FOLDERS.values()) == len(NOTES)


def test_word_counts_what_its_fields_show(documents):
    word = WordDocument(path_of(documents, "docx"))
    counted = [
        (instruction, shown, result() if callable(result) else result)
        for instruction, shown, result in word.fields
    ]
    assert not [field for field in counted if field[2] is not None and field[1] != field[2]]
    kinds = {instruction.split()[0] for instruction, _, _ in counted}
    assert {"SEQ", "REF", "STYLEREF", "PAGEREF"} <= kinds
    sequences = {instruction.split()[1] for instruction, *_ in counted if "SEQ" in instruction}
    assert sequences == {"Figure", "Table", "Equation"}


def test_word_can_make_the_lists_anew(documents):
    word = WordDocument(path_of(documents, "docx"))
    xml = "".join(word.body.itertext())
    assert 'TOC \\h \\z \\c "Figure"' in xml
    assert 'TOC \\h \\z \\c "Table"' in xml
    names = [name for name in word.bookmarks if name.startswith("_Ref_")]
    assert all(len(name) <= 40 and re.fullmatch(r"\w+", name) for name in names)


def test_every_reference_of_the_page_leads_to_its_figure(documents):
    page = path_of(documents, "html").read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert not set(re.findall(r'href="#([^"]+)"', page)) - set(ids)
    figure = re.search(r'As r04 <a\s+href="#([^"]+)">', page)[1]
    start = page.index(f'<figure id="{figure}"')
    assert "Curve f09" in page[start : page.index("</figure>", start)]
    assert "thesis-" not in re.sub(r'src="data:[^"]*"', "", page)


def test_latex_refers_by_label(documents):
    source = path_of(documents, "latex").read_text(encoding="utf-8")
    labels = re.findall(r"\\label\{([^}]*)\}", source)
    assert len(labels) == len(set(labels))
    named = {*labels, *re.findall(r"\}\{([a-z][a-z0-9-]*)\}", source)}
    assert not set(re.findall(r"\\ref\*\{([^}]*)\}", source)) - named
    assert "\\listoffigures" in source
    assert "\\listoftables" in source


def test_what_leads_nowhere_is_told_with_note_and_line(documents):
    told = json.loads(documents.joinpath("told.json").read_text(encoding="utf-8"))
    assert len({tuple(warnings) for warnings in told.values()}) == 1
    warnings = told["html"]
    assert [
        one for one in warnings if "r16.md:3: nothing in the document is called 'fig:nope'" in one
    ]
    assert [one for one in warnings if "r23.md:3:" in one and "'nothing'" in one]
    assert [one for one in warnings if "r17.md:3:" in one and "'^tab-nope'" in one]
    assert [one for one in warnings if "r18.md:3:" in one and "01-Figures/f09.md:3" in one]
    assert len(warnings) == 4
