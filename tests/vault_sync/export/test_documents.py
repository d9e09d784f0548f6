"""What a reader of the exported document sees, and what no longer is in it."""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass

import pytest
from PIL import Image

from experiments.workspace.workspace import Workspace
from featherface.errors import NotFoundError
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import ExportReport, export

MAIN = """\
---
thesis_id: chapter/x
secret: property
---
# First *chapter*

<!-- thesis:begin id=a template=b sha=c -->

The value is <!--t:v2@best widerface.hard.ap .1%-->82.5 %<!--/t--> today. ^value

<!-- thesis:end id=a -->

<!-- thesis:answer analysis -->

%% a remark
of two lines %%

See [[Second]], [[Second|the other]], [[Second#Twice]], [words](../02-B/Second.md#Twice),
[[#Twice]], [[First#^value|that value]], [[Hidden|apart]], [[Hidden]] and [[v1@1]].
Broken: [[Nowhere]], [gone](gone.md), [[Second#No such]].

## Twice

Text==marked==[^n] and $a_1$ in code `%%kept%%`.

[^n]: The note of the first.

## Twice

$$
E = mc^2
$$

> [!warning]+ Mind *this*
> body of the box

> [!tip]
> no title

> an ordinary quote

![[picture.png|300]]

![A caption of its own](../attachments/picture.png)

![alt](../attachments/pic%20ture%20é.png)

*The line in italics.*

![missing](../attachments/missing.png) and ![far](https://example.org/far.png)

![[broken.png]]

![[paper.pdf]]

| a | b |
|:--|--:|
| [[Second\\|cell]] | x<br>y |

#tags #only

- [ ] open
- [x] done

```dataview
TABLE secretquery
```

```plantuml
graph LR
```

<% tp.file.title %> `= this.file.name` <u>under</u> H<sub>2</sub>O <script>alert(1)</script>

<details><summary>More</summary>

inside

</details>

<table><tr><td>raw cell</td></tr></table>
"""

SECOND = """\
# Second chapter

[^n]: The note of the second.

Words[^n] of the second.

## Twice

### Below

Deep. ![[First#Twice]]

![[Second]]

![[Part]]

![[Part#^item]]

## Unclosed

```python
code = "[[kept]]"
"""

PART = """\
## Part heading

Embedded text, ![[Second#Below]]

- one
- two ^item

> quoted
> ![[Leaf]]
"""


def picture():
    buffer = io.BytesIO()
    Image.new("RGB", (600, 300), "white").save(buffer, "PNG")
    return buffer.getvalue()


def fill(vault):
    files = {
        "01-A/First.md": MAIN,
        "02-B/Second.md": SECOND,
        "02-B/Part.md": PART,
        "02-B/Leaf.md": "leaf text\n",
        "Templates/Hidden.md": "never shown",
        "05-Results/Runs/v1@1.md": "---\nthesis_id: run/v1@1\n---\n# v1@1 – a run\n\nrun text\n",
        "attachments/picture.png": picture(),
        "attachments/pic ture é.png": picture(),
        "attachments/broken.png": b"\x89PNG\r\n\x1a\nnothing",
        "attachments/paper.pdf": b"%PDF-1.4",
    }
    for path, content in files.items():
        file = vault / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


@dataclass
class Made:
    """An exported page."""

    done: ExportReport
    source: str

    @property
    def body(self):
        return self.source.partition("<main>")[2].partition("</main>")[0]

    @property
    def text(self):
        text = re.sub(r"<(?:br|/?p|/?li|/?h\d|/?td|/?div|/?figcaption)\b[^>]*>", "\n", self.body)
        return html.unescape(re.sub(r"<[^>]+>", "", text))

    def warns(self, *words):
        return any(all(word in warning for word in words) for warning in self.done.warnings)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Everything a note may hold, exported once."""
    root = tmp_path_factory.mktemp("thèse à moi")
    workspace = Workspace.create(root / "w", title="On faces & <tags>", author="É. Student")
    workspace.vault.mkdir()
    fill(workspace.vault)
    before = {path: path.stat().st_mtime_ns for path in workspace.vault.rglob("*")}
    done = export(workspace, (), ExportOptions(to="html"))
    assert {path: path.stat().st_mtime_ns for path in workspace.vault.rglob("*")} == before
    return Made(done, done.output.read_text(encoding="utf-8"))


LEFT = [
    "thesis:",
    "<!--",
    "[[",
    "]]",
    "![",
    "^value",
    "^item",
    "remark",
    "secretquery",
    "secret: property",
    "thesis_id",
    "<%",
    "tp.file",
    "this.file",
    "#tags",
    "[!warning]",
    "==marked",
    "<script",
    "thesis-link",
    "thesis-embed",
    "thesis-cite",
    "thesis-anchor",
    "thesis-aside",
    ".txt__",
]


@pytest.mark.parametrize("left", LEFT)
def test_nothing_of_the_vaults_machinery_is_left(page, left):
    shown = page.body.replace("[[kept]]", "").replace("%%kept%%", "")
    assert left not in re.sub(r'src="data:[^"]*"', "", shown)


def test_code_is_shown_as_it_is(page):
    assert "%%kept%%" in page.text
    assert 'code = "[[kept]]"' in page.text
    assert "graph LR" in page.text


def test_a_bound_number_is_text(page):
    assert "The value is 82.5 % today." in page.text


def test_every_link_within_leads_to_a_place(page):
    ids = re.findall(r'\bid="([^"]+)"', page.source)
    assert len(ids) == len(set(ids))
    targets = re.findall(r'href="#([^"]+)"', page.source)
    assert targets
    assert not set(targets) - set(ids)


def test_links_keep_their_words(page):
    assert re.search(r'<a\s+href="#second-chapter">Second chapter</a>', page.body)
    assert re.search(r'<a\s+href="#second-chapter">the other</a>', page.body)
    assert re.search(r'<a\s+href="#twice-\d">words</a>', page.body)
    assert re.search(r'<a\s+href="#twice-\d">section\s2\.3\.1</a>', page.body)
    assert re.search(r'<a\s+href="#value">that value</a>', page.body)
    assert "apart" in page.text
    assert "Hidden" in page.text
    assert "Templates" not in page.text


def test_broken_links_are_told_with_note_and_line(page):
    assert page.warns("01-A/First.md:20:", "'Nowhere'")
    assert page.warns("01-A/First.md:20:", "'gone.md'")
    assert page.warns("01-A/First.md:20:", "'No such'")
    assert not page.warns("Hidden")


def test_notes_become_sections_of_their_folders(page):
    heads = re.findall(r"<h(\d)[^>]*>(.*?)</h\1>", page.body, re.DOTALL)
    shown = [(int(level), re.sub(r"<[^>]+>|\s+", " ", text).split()) for level, text in heads]
    flat = [(level, " ".join(words)) for level, words in shown]
    assert (1, "1 A") in flat
    assert (2, "1.1 First chapter") in flat
    assert (3, "1.1.1 Twice") in flat
    assert (3, "1.1.2 Twice") in flat
    assert (1, "2 B") in flat


def test_notes_at_the_foot_stay_apart(page):
    first, second = "The note of the first.", "The note of the second."
    assert page.text.index(first) < page.text.index(second)
    assert len(re.findall('class="footnote-ref"', page.body)) == len(
        re.findall('class="footnote-back"', page.body)
    )


def test_embeds_are_shown_at_their_level_and_cycles_end(page):
    assert "leaf text" in page.text
    assert page.text.count("Embedded text,") == 2  # its own section, and where it is embedded
    assert page.warns("02-B/Second.md", "embeds itself")


def test_boxes(page):
    assert re.search(r'class="callout warning"', page.body)
    assert "Mind this" in page.text
    assert "Tip" in page.text
    assert "<blockquote>" in page.body


def test_figures(page):
    captions = re.findall(r"<figcaption[^>]*>(.*?)</figcaption>", page.body, re.DOTALL)
    texts = [" ".join(re.sub(r"<[^>]+>", "", one).split()) for one in captions]
    assert texts[:2] == ["Figure 1.1: A caption of its own", "Figure 1.2: The line in italics."]
    assert page.text.count("The line in italics.") == 2  # in the list of figures, and below it
    assert 'style="width:50.0%"' in page.body  # |300 of Obsidian's 605 px
    assert not re.findall(r'<img[^>]*src="(?!data:)', page.source)


def test_pictures_that_cannot_be_shown_are_told(page):
    assert page.warns("01-A/First.md:50:", "missing.png")
    assert page.warns("01-A/First.md:50:", "none is fetched", "https://example.org/far.png")
    assert page.warns("01-A/First.md:52:", "broken.png", "no picture that can be read")
    assert page.warns("01-A/First.md:54:", "paper.pdf")


def test_html_of_the_note_becomes_part_of_the_text(page):
    assert "<u>under</u>" in page.body
    assert "<sub>2</sub>" in page.body
    assert "raw cell" in page.text
    assert "More" in page.text
    assert re.search(r"<td[^>]*>x<br />\s*y</td>", page.body)


def test_tasks_formulas_and_marks(page):
    assert page.body.count('type="checkbox"') == 2
    assert "<mark>marked</mark>" in page.body
    assert page.body.count('display="block"') >= 1
    assert page.body.count('display="inline"') >= 1


def test_the_title_is_escaped(page):
    assert "<title>On faces &amp; &lt;tags&gt;</title>" in page.source
    assert "É. Student" in page.text


def test_what_was_exported_is_told(page):
    assert page.done.notes[0] == "01-A/First.md"
    assert set(page.done.left_out) == {"Templates/Hidden.md", "05-Results/Runs/v1@1.md"}
    assert page.done.figures == 2


def simple(workspace, notes, **choices):
    for path, text in notes.items():
        file = workspace.vault / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    done = export(workspace, (), ExportOptions(to="html", **choices))
    return Made(done, done.output.read_text(encoding="utf-8"))


def test_runs_are_an_appendix_when_asked_for(workspace):
    notes = {
        "01-A/a.md": "# A\n\nSee [[v1@1]].\n",
        "Notes/b.md": "# Other\n\ntext\n",
        "05-R/Runs/v1@1.md": "---\nthesis_id: run/v1@1\n---\n# v1@1 – a run\n\nrun text\n",
    }
    made = simple(workspace, notes, with_runs=True)
    assert "run text" in made.text
    assert re.search(r'<a\s+href="#v1-1-a-run">v1@1</a>', made.body)
    assert re.search(r">A</span>\s*Notes", made.body)
    assert re.search(r">B</span>\s*Runs", made.body)


def test_works_are_cited_and_listed(workspace, tmp_path):
    own = tmp_path / "own works.bib"
    own.write_text("@article{me2026, author={Doe, Jane}, title={Mine}, year={2026}}", "utf-8")
    notes = {"a.md": "# A\n\nAs [see @me2026, p. 3] and @kim2025featherface say; [@none].\n"}
    made = simple(workspace, notes, bibliography=own)
    assert made.done.citations == ("me2026", "kim2025featherface")
    assert "(see Doe 2026, 3)" in made.text
    assert "References" in made.text
    assert "Mine" in made.text
    assert made.warns("a.md:3:", "'none'")


def test_a_missing_bibliography_is_no_surprise(workspace, tmp_path):
    (workspace.vault / "a.md").write_text("# A\n", encoding="utf-8")
    with pytest.raises(NotFoundError, match="no-such"):
        export(workspace, (), ExportOptions(to="html", bibliography=tmp_path / "no-such.bib"))


HOSTILE = [
    "[[[[a]]]] ![[![[x]]]]",
    "%%%%%%",
    "<!--><!-- --> <!--",
    "$$$ $ $$",
    "`` ` ``` ~~~",
    "> [!note\n> [!]x",
    "[@] [@;] [see @, p.] @",
    "thesis-link:0.99 [x](thesis-link:9.9) ![x](thesis-embed:0.0) [y](thesis-cite:3.3)",
    "^ ^^ ^[ ^[x",
    "| a |\n|--|\n| b | c | d |",
    '\\input{/etc/passwd} #eval(1) #read("/etc/passwd") {{x}}',
    "[js](javascript:alert(1)) [f](file:///etc/passwd) [o](obsidian://x)",
    "![](../../../../etc/passwd) ![[../../../etc/passwd]] ![[/etc/passwd]]",
    "<img src=x onerror=alert(1)> <a href='javascript:x'>y</a> <iframe src=x></iframe>",
    "- " * 40 + "x",
    "\u202e\u2066 \ufeff \u0000 \ud7ff",
]


def test_hostile_notes_are_contained(workspace):
    notes = {f"{place:02}.md": f"# N{place}\n\n{text}\n" for place, text in enumerate(HOSTILE)}
    made = simple(workspace, notes)
    assert "root:" not in made.source
    assert "alert" not in re.sub(r"<p>.*?</p>", "", made.body, flags=re.DOTALL)
    assert "javascript:" not in made.body
    assert "onerror" not in made.body
    assert "<iframe" not in made.body


NAMES = [
    "a|b",
    "CON",
    "x # y",
    'quote\'s "name"',
    "50% off",
    "naïve café",
    "a" * 120,
    "$x$ {y} ~z~",
]


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows takes no such names")
def test_hostile_names_of_notes(workspace):
    notes = {f"{name}.md": "text\n" for name in NAMES}
    notes["start.md"] = "# Start\n\n" + "\n\n".join(f"[[{name}]]" for name in NAMES[4:])
    made = simple(workspace, notes)
    for name in NAMES:
        assert name.replace("'", "’") in made.text.replace("“", '"').replace("”", '"')
    assert not made.warns("start.md", "leads nowhere")
