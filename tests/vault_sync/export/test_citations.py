"""Works are cited as people write it in Obsidian, links to the notes of works among it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export
from vault_sync.export.reading.obsidian import translate

KNOWN = {"a", "b2", "kim_2025"}

WAYS = [
    ("[[@a]]", ["a"], "*"),
    ("[[Works/@a]]", ["a"], "*"),
    ("[[@a.md]] end", ["a"], "* end"),
    ("[[@a#Method]]", ["a"], "*"),
    ("[[@a|@a]]", ["a"], "*"),
    ("[[@a|p. 3]]", ["a, p. 3"], "*"),
    ("[[@a|Doe et al.]] say", ["-a"], "Doe et al. * say"),
    ("[[@a]] [[@b2]], [[@kim_2025]].", ["a;b2;kim_2025"], "*."),
    ("[[@a]] and [[@b2]]", ["a", "b2"], "* and *"),
    ("[@a; [[@b2]]]", ["a;b2"], "*"),
    ("[[[@a]]; [[@b2|B]]]", ["a;b2"], "*"),
    ("[see [[@a]], pp. 3-5; -@b2]", ["see a, pp. 3-5;-b2"], "*"),
    ("([[@a]], [[@b2]])", ["a;b2"], "*"),
    ("([[@a]] and [[@b2]])", ["a;b2"], "*"),
    ("(see [[@a]], p. 3; [[@b2]])", ["see a, p. 3;b2"], "*"),
    ("(x [[@a]] y [[@b2]] z)", ["a", "b2"], "(x * y * z)"),
    ("@a [p. 3] say", ["+a, p. 3"], "* say"),
    ("@a [chap. 2, note] say", ["+a, chap. 2, note"], "* say"),
    ("@a [x](y)", ["+a"], "* [x](y)"),
    ("@a [ ] box", ["+a"], "* [ ] box"),
    ("[[@gone]] here", [], None),
    ("[[Note @a]]", [], None),
    ("![[@a]]", [], None),
    ("`[[@a]]`", [], None),
    ("[words](x) ([[Note]])", [], None),
    ("(see [[@gone]], x)", [], None),
]


def written(citation):
    mark = {"SuppressAuthor": "-", "AuthorInText": "+", "NormalCitation": ""}[citation.mode]
    return " ".join(f"{citation.before} {mark}{citation.key}{citation.after}".split())


@pytest.mark.parametrize(("note", "works", "text"), WAYS)
def test_works_are_cited(note, works, text):
    made = translate(note, "0", KNOWN)
    assert [";".join(map(written, cited)) for cited in made.citations] == works
    if text is not None:
        assert re.sub(r"\[x\]\(thesis-cite:[\d.]+\)", "*", made.text) == text


PIECES = [
    "[[@a]]",
    "[[",
    "]]",
    "[",
    "]",
    "(",
    ")",
    "@a",
    "; ",
    ", ",
    " and ",
    "p. 3",
    "|",
    "x",
    "\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_text_is_read_once(text):
    made = translate(text, "0", KNOWN)
    assert len(re.findall("thesis-cite:", made.text)) == len(made.citations)
    assert sum(map(len, made.citations)) <= text.count("@a")


def test_the_document_lists_them(workspace):
    (workspace.vault / "works.bib").write_text("", "utf-8")
    note = "# A\n\nAs [[@kim2025featherface|p. 3]] say, and [[@nobody1999]].\n"
    (workspace.vault / "a.md").write_text(note, encoding="utf-8")
    done = export(workspace, (), ExportOptions(to="html"))
    text = " ".join(re.sub(r"<[^>]+>", "", done.output.read_text(encoding="utf-8")).split())
    assert re.search(r"As \(Kim et al\. 2025, 3\) say, and @nobody1999\.", text)
    assert done.warnings == ("a.md:3: no work 'nobody1999' is in the bibliography",)
