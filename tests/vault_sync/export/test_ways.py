"""Each way in which people write things in Obsidian, exported and read back from every format."""

from __future__ import annotations

import html
import io
import re
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from experiments.workspace.workspace import Workspace
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export

KEY = "kim2025featherface"


@dataclass(frozen=True)
class Way:
    """A small note, and what must be seen of it in each format."""

    note: str
    shows: tuple[str, ...]
    """Words of the document, without spaces at their ends."""
    hides: tuple[str, ...] = ()
    warns: str = ""
    """What one warning says; empty: there is none of this note."""


WAYS = {
    "heading with dots": Way("## 5.2 YAML\n\nSee [[#5 2 YAML]] zz1.", ("zz1.",)),
    "heading in another note": Way(
        "See [[heading with dots#52 yaml|there]] zz2.", ("See there zz2.",)
    ),
    "heading with maths": Way(
        "## Loss $\\ell_1$\n\nSee [[#Loss $ ell_1$|it]] zz3.", ("See it zz3.",)
    ),
    "heading below a heading": Way(
        "## A\n\n### Same\n\nx\n\n## B\n\n### Same\n\n[[#B#Same]] zz4.", ("zz4.",)
    ),
    "headings alike": Way(
        "## a-b\n\nx\n\n## a_b\n\n[[#ab]] zz5.",
        ("zz5.",),
        warns="'ab' may be 'a-b', 'a_b' of headings alike.md: the first is meant",
    ),
    "heading that is gone": Way("[[#Gone]] zz6.", ("Gone zz6.",), warns="no place called 'Gone'"),
    "cited link": Way(f"As [[@{KEY}]] zz7.", ("As (Kim et al. 2025) zz7.",), ("@kim",)),
    "cited link with words": Way(
        f"As [[@{KEY}|Kim and others]] zz8.", ("As Kim and others (2025) zz8.",)
    ),
    "cited link with page": Way(f"As [[@{KEY}|p. 3]] zz9.", ("As (Kim et al. 2025, 3) zz9.",)),
    "cited links in brackets": Way(
        f"As [see [[@{KEY}]], p. 4] zz10.", ("As (see Kim et al. 2025, 4) zz10.",), ("[[", "@kim")
    ),
    "cited link unknown": Way(
        "As [[@no1999]] zz11.", ("As @no1999 zz11.",), warns="no work 'no1999'"
    ),
    "cited with locator": Way(f"@{KEY} [p. 5] say zz12.", ("Kim et al. (2025, 5) say zz12.",)),
    "drawing": Way(
        "![[plan.excalidraw]]\n\n*The plan zz13.*",
        ("The plan zz13.",),
        ("compressed", "EXCALIDRAW"),
    ),
    "drawing by property": Way("![[sketch|Sketch zz14]]", ("Sketch zz14",), ("EXCALIDRAW",)),
    "drawing without picture": Way(
        "Before ![[bare.excalidraw]] zz15.",
        ("Before bare zz15.",),
        ("EXCALIDRAW", "compressed"),
        "bare.excalidraw has no picture: in Obsidian, turn on Auto-export PNG",
    ),
    "canvas": Way("![[board.canvas|Board zz16]]", ("Board zz16",)),
    "canvas without picture": Way("![[gone.canvas]] zz17", ("gone zz17",), warns="Export as image"),
    "field in a sentence": Way("It took [time:: 3 h] zz18.", ("It took time: 3 h zz18.",), ("::",)),
    "field without key": Way("It took (time:: 3 h) zz19.", ("It took 3 h zz19.",), ("::",)),
    "field with a link": Way(
        "By (who:: [[canvas|the board]]) zz20.", ("By the board zz20.",), ("::", "[[")
    ),
    "field on its line": Way("state:: done zz21", ("state: done zz21",), ("::",)),
    "inline query": Way(
        "Made `= this.file.name` zz22.", ("Made zz22.",), ("this.file",), "a query of dataview"
    ),
    "01 _name_ 🔥": Way("Text zz23.", ("name", "Text zz23."), ("🔥", "_name_")),
    "formula with macros": Way(
        "$$\n\\newcommand{\\zz}{z}\n$$\n\nLet $\\zz = \\argmax_x \\abs{x}$ zz24.",
        ("Let", "arg", "zz24."),
        ("\\zz",),
    ),
    "formula unknown": Way(
        "Let $a$ and $\\nope{x}$ zz25.", ("\\nope{x} zz25.",), warns="has an unknown \\nope"
    ),
}
PROPERTIES = "---\nexcalidraw-plugin: parsed\n---\n"
SOURCE = f"{PROPERTIES}==Switch to EXCALIDRAW VIEW==\n\n```compressed-json\nN4\n```\n"


def picture():
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), "white").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """The text of all ways in each format, and the warnings."""
    workspace = Workspace.create(tmp_path_factory.mktemp("ways") / "w", title="Ways")
    files = {f"{name}.md": f"{way.note}\n" for name, way in WAYS.items()}
    files |= {f"drawings/{name}.excalidraw.md": SOURCE for name in ("plan", "bare")}
    files |= {"drawings/sketch.md": SOURCE, "drawings/plan.excalidraw.light.png": picture()}
    files |= {"attachments/sketch.png": picture(), "board.png": picture(), "board.canvas": "{}"}
    for path, content in files.items():
        file = workspace.vault / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    names = list(WAYS)
    done = {to: export(workspace, names, ExportOptions(to=to)) for to in READERS}
    texts = {to: " ".join(READERS[to](made.output).split()) for to, made in done.items()}
    return texts, {to: made.warnings for to, made in done.items()}


def read_html(path):
    body = path.read_text(encoding="utf-8").partition("<main>")[2]
    body = re.sub(r"<annotation.*?</annotation>", "", body, flags=re.DOTALL)
    return html.unescape(re.sub(r"</?(?:a|span|em|code|m\w+)\b[^>]*>", "", body)).replace("<", " <")


def read_docx(path):
    with zipfile.ZipFile(path) as archive:
        root = ET.fromstring(archive.read("word/document.xml"))  # noqa: S314 - of our own making
    paragraphs = [one for one in root.iter() if one.tag.endswith("}p")]
    parts = (
        ("".join(t.text or "" for t in one.iter() if t.tag.endswith("}t"))) for one in paragraphs
    )
    return "\n".join(parts)


def read_latex(path):
    text = path.read_text(encoding="utf-8").partition("\\begin{document}")[2]
    text = re.sub(r"\\(?:hyperref\[[^]]*\]|citeproc\{[^}]*\}|emph\b|texttt\b)", "", text)
    text = text.replace("\\textbackslash{}", "\\").replace("\\_", "_").replace("~", " ")
    return re.sub(r"(?<!nope)[{}]|\\(?=[{}])", "", text).replace("\\nopex", "\\nope{x")


READERS = {"html": read_html, "docx": read_docx, "latex": read_latex}


@pytest.mark.parametrize("to", READERS)
@pytest.mark.parametrize("name", WAYS)
def test_a_way_of_writing(documents, name, to):
    text = documents[0][to]
    for words in WAYS[name].shows:
        if to == "latex" and "\\nope" in words:
            continue  # its braces are gone, see `read_latex`
        assert words in text
    warned = [one for one in documents[1][to] if one.startswith(f"{name}.md:")]
    assert len(warned) == bool(WAYS[name].warns)
    assert all(WAYS[name].warns in one for one in warned)


@pytest.mark.parametrize("to", READERS)
def test_nothing_of_what_stands_for_them_is_left(documents, to):
    hidden = {words for way in WAYS.values() for words in way.hides}
    assert [words for words in hidden if words in documents[0][to]] == []


@pytest.mark.parametrize("to", ["html", "docx"])
def test_links_to_headings_lead_to_the_one_that_is_meant(documents, to):
    for words in ("See section 1.1 zz1.", "section 4.2.1 zz4.", "section 5.1 zz5."):
        assert words in documents[0][to]


def test_drawings_are_pictures(documents):
    """Of the plan, the sketch and the board; two have none."""
    assert documents[0]["html"].count("<img") == 3
    assert documents[0]["latex"].count("\\includegraphics") == 3


@pytest.mark.slow
def test_a_pdf_shows_the_same(documents, tmp_path):
    """Read back by PDFium, where it is installed."""
    pdfium = pytest.importorskip("pypdfium2")
    workspace = Workspace.create(tmp_path / "w", title="Ways")
    workspace.vault.mkdir()
    texts = {name: way for name, way in WAYS.items() if not way.warns and "drawing" not in name}
    for name, way in texts.items():
        (workspace.vault / f"{name}.md").write_text(way.note, encoding="utf-8")
    done = export(workspace, list(texts), ExportOptions(to="pdf"))
    with pdfium.PdfDocument(done.output) as document:
        shown = " ".join(
            " ".join(page.get_textpage().get_text_range() for page in document).split()
        )
    missing = [words for way in texts.values() for words in way.shows if words not in shown]
    assert missing == []
