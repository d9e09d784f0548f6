"""Where pages end: short tables whole, with what introduces them; chapters begin at page 1."""

from __future__ import annotations

import re
import zipfile

import pytest
from stand_ins.exported_documents import pdf_text
from stand_ins.table_trees import table

from experiments.workspace.workspace import Workspace
from vault_sync.export import tables
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export

SHORT = "*Few values.*\n\n| a | b |\n|--|--|\n| 1×10⁻⁵ | 2 |\n\n^tbl-few\n"
LONG = "*Many values.*\n\n| a | b |\n|--|--|\n" + "| 1 | 2 |\n" * 40 + "\n^tbl-many\n"
NOTE = (
    f"# One\n\nA few words.\n\n## Scores\n\nThese are:\n\n{SHORT}\n## More\n\nThe rest:\n\n{LONG}"
)


@pytest.fixture(scope="module")
def book(shared_folder):
    def make(folder):
        workspace = Workspace.create(folder, language="en", title="Pages", author="A. Student")
        for path, text in (("01-A/a.md", NOTE), ("02-B/b.md", "# Two\n\nThe end.\n")):
            (workspace.vault / path).parent.mkdir(parents=True)
            (workspace.vault / path).write_text(text, encoding="utf-8")
        for name in ("pdf", "docx", "latex"):
            export(workspace, (), ExportOptions(to=name))

    return shared_folder("pages-of-a-book", make) / "export"


def test_the_first_chapter_is_page_one_behind_the_lists(book):
    text = pdf_text(book / "thesis.pdf")
    assert re.search(r"List of tables Table 1\.1 Few values\.[ .\u2060]+1 ", text)
    assert re.search(r"Many values\.[ .\u2060]+\d iii 1 ?A", text)


def test_latex_finds_room_before_the_heading_of_a_table(book):
    text = (book / "thesis.tex").read_text(encoding="utf-8")
    rooms = re.findall(r"\\tableroom\{(\d+)mm\}\s*\\subsection\{(\w+)\}", text)
    assert [name for _, name in rooms] == ["Scores", "More"]
    short, long = (int(room) for room, _ in rooms)
    assert 50 < short < 60
    assert long == tables.START + 2 * 12


def test_latex_raises_the_digits_that_its_letters_lack(book):
    assert "1×10\\textsuperscript{−5}" in (book / "thesis.tex").read_text(encoding="utf-8")


def test_word_keeps_the_line_above_a_table_with_it(book):
    with zipfile.ZipFile(book / "thesis.docx") as archive:
        text = archive.read("word/document.xml").decode("utf-8")
        styles = archive.read("word/styles.xml").decode("utf-8")
    assert text.count('<w:pStyle w:val="TableLead"') == 2
    assert re.search(r'w:styleId="TableLead".*?<w:keepNext ?/>', styles, re.DOTALL)
    assert re.search(r'<w:tblStylePr w:type="firstRow">\s*<w:rPr>\s*<w:b ?/>', styles)
    assert 'w:themeColor="accent1"' not in styles.partition('w:styleId="Heading1"')[2][:900]
    margins = re.search(r'w:styleId="Table".*?</w:style>', styles, re.DOTALL)[0]
    assert re.findall(r'<w:(?:left|right) [^>]*w:w="(\d+)"', margins) == ["57", "57"]


def test_a_table_needs_its_height_or_the_room_to_begin():
    few = table([["a", "b"], ["1", "2"], ["3", "4"]])
    line = tables.LINE * 11
    assert tables.needed(few, 2) == pytest.approx(3 * (line + 2) + tables.CAPTION)
    assert tables.needed(table([["a"], *[["1"]] * 60]), 2) == tables.START
    tall = table([["a", "b"], ["word " * 60, "2"]])
    assert tables.needed(tall, 2) > tables.needed(few, 2)
