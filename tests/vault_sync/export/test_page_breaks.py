"""Page breaks as Obsidian's users write them, parts, and sections that hold nothing."""

from __future__ import annotations

import re
import zipfile

import pytest

from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export

BREAKS = {
    "html": r'<div class="page-break"></div>',
    "latex": r"\clearpage" + "\n\n",
    "docx": '<w:br w:type="page"',
}
BEGIN, END = "Before it.", "After it."


@pytest.fixture
def exported(workspace):
    """Return what exports NOTES and reads the document."""

    def make(notes, to="html", more="", **options):
        for path, text in notes.items():
            file = workspace.vault / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        settings = workspace.root / "thesis.toml"
        settings.write_text(settings.read_text(encoding="utf-8") + more, encoding="utf-8")
        done = export(type(workspace).open(workspace.root), (), ExportOptions(to=to, **options))
        return done, read(done)

    return make


def read(done):
    if done.format == "docx":
        with zipfile.ZipFile(done.output) as archive:
            return archive.read("word/document.xml").decode("utf-8")
    return done.output.read_text(encoding="utf-8") if done.format != "pdf" else ""


@pytest.mark.parametrize(
    "line",
    [
        "\\newpage",
        "\\pagebreak",
        "\\clearpage{}",
        '<div style="page-break-after: always;"></div>',
        "<div style='break-before:page'></div>",
        '<div class="page-break"></div>',
        '<p style="page-break-before:always"></p>',
    ],
)
def test_each_way_of_writing_a_page_break(exported, line):
    _, text = exported({"a.md": f"# A\n\n{BEGIN}\n\n{line}\n\n{END}\n"})
    body = text.partition(BEGIN)[2].partition(END)[0]
    assert '<div class="page-break"></div>' in body
    assert re.sub(r"<[^>]+>", "", body).strip() == ""


@pytest.mark.parametrize("line", ["a \\newpage b", '<div style="color: red"></div>', "`\\newpage`"])
def test_what_only_looks_like_one_breaks_nothing(exported, line):
    _, text = exported({"a.md": f"# A\n\n{line}\n"})
    assert '<div class="page-break">' not in text


@pytest.mark.parametrize("to", BREAKS)
def test_each_format_breaks_the_page(exported, to):
    _, text = exported({"a.md": f"# A\n\n{BEGIN}\n\n\\newpage\n\n{END}\n"}, to)
    assert BREAKS[to] in text.partition(BEGIN)[2].partition(END)[0]


def test_pages_of_the_pdf_are_counted(exported):
    done, _ = exported(
        {"a.md": "# A\n\none\n\n\\newpage\n\ntwo\n\n> in a quote\n>\n> \\newpage\n"}, "pdf"
    )
    assert done.pages == 2


@pytest.mark.parametrize(
    ("to", "part"),
    [
        ("html", r'<h1 class="part unnumbered" id="ground">Part I\. Ground</h1>'),
        ("latex", r"\\part\{Ground\}\\hypertarget\{ground\}\{\}\\label\{ground\}"),
        ("docx", r"Part I\."),
    ],
)
def test_parts_have_their_own_numbers(exported, to, part):
    notes = {"01-A/a.md": "# X\n\ntext\n", "02-B/b.md": "# Y\n\ntext\n"}
    _, text = exported(notes, to, '[export.parts]\n"Ground" = ["02-*"]\n')
    flat = re.sub(r'class="([^"]*)"\s*id="([^"]*)"', r'class="\1" id="\2"', " ".join(text.split()))
    flat = re.sub(r'id="([^"]*)"\s*class="([^"]*)"', r'class="\2" id="\1"', flat)
    assert re.search(part, flat)
    if to == "html":
        assert re.search(r">2</span>\s*B", text)


EMPTY = """\
---
a: b
---
# Note

## Hollow

%% nothing that is printed %%

### Deep

## Full

text

## Twice

## Twice

<!--t:own-->

## Picture

![[gone.png]]

## Rule

---

## Sum

### Inner

$x$
"""


def test_empty_sections_are_named_and_not_printed(exported):
    done, text = exported(
        {"01-A/n.md": EMPTY, "01-A/e.md": "# Empty\n", "02-B/f.md": "# F\n\nx [[n#Hollow]]\n"}
    )
    assert done.empty_sections == (
        "01-A/e.md:1: Empty",
        "01-A/n.md:6: Hollow",
        "01-A/n.md:10: Deep",
        "01-A/n.md:16: Twice",
        "01-A/n.md:18: Twice",
        "01-A/n.md:26: Rule",
    )
    for heading in ("Hollow", "Deep", "Twice", "Empty", "Rule"):
        assert not re.search(rf"<h\d[^>]*>[^\n]*{heading}</h\d>", text)
    for heading in ("Full", "Sum", "Inner"):
        assert re.search(rf"<h\d[^>]*>(?:<[^>]+>|[\d. \n])*{heading}</h\d>", text)
    assert '<div id="hollow">' in text
    (told,) = [one for one in done.warnings if one.startswith("01-A/n.md:6")]
    assert told.endswith("Hollow, Deep (line 10), Twice (line 16), Twice (line 18), Rule (line 26)")


@pytest.mark.parametrize("to", ["pdf", "latex", "docx"])
def test_links_to_an_empty_section_break_no_format(exported, to):
    done, _ = exported({"01-A/n.md": EMPTY, "02-B/f.md": "# F\n\nx [[n#Hollow]]\n"}, to)
    assert done.output.stat().st_size > 500


def test_what_is_not_printed_takes_no_room_on_paper(exported):
    """Sixty places that links may lead to would fill a page, were they blocks."""
    notes = {"01-A/a.md": "# A\n\nx\n", "02-B/b.md": "# B\n\ny\n"}
    empty = {f"02-B/n{number}.md": f"# N {number}\n" for number in range(60)}
    few, _ = exported(notes, "pdf")
    many, _ = exported(notes | empty, "pdf")
    assert len(many.empty_sections) == 60
    assert many.pages == few.pages


def test_a_chapter_whose_notes_are_all_empty_is_none(exported):
    done, text = exported(
        {"01-A/e.md": "# Empty\n", "02-B/f.md": "# F\n\nx\n", "03-C/g.md": "# G\n\ny\n"}
    )
    assert [one.partition(": ")[2] for one in done.empty_sections] == ["A", "Empty"]
    assert re.search(r">1</span>\s*B", text)
