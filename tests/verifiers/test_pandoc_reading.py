"""pandoc reads the raw notes, and what we export holds nothing of the vault's machinery."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from urllib.parse import unquote

import pytest
import typst

from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export
from vault_sync.export.reading.pandoc import find_pandoc
from vault_sync.export.reading.pandoc_ast import find, plain

pytestmark = pytest.mark.slow
READER = "gfm+wikilinks_title_after_pipe+yaml_metadata_block+rebase_relative_paths"
LEFT = ["thesis:", "<!--", "[[", "]]", "%%", "thesis_id", "thesis-link", "thesis-anchor"]


ESCAPED = {
    "{[}": "[",
    "{]}": "]",
    "-\\/-": "--",
    "\\%": "%",
    "\\_": "_",
    "\\textbar{}": "|",
    "\\textbar ": "|",
    "\\textless{}": "<",
    "\\textless ": "<",
    "\\textgreater{}": ">",
    "\\textgreater ": ">",
}


def pandoc(*arguments, folder):
    command = [find_pandoc(), *map(str, arguments)]
    answer = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr.decode()
    return answer.stdout.decode("utf-8")


@pytest.fixture
def trees(filled):
    """Note -> its tree, as pandoc alone reads it."""
    return {
        note: json.loads(pandoc("-f", READER, "-t", "json", note, folder=filled.vault))["blocks"]
        for note in filled.notes
    }


def test_links_and_pictures_of_the_raw_notes_are_there(filled, trees):
    count = 0
    for note, tree in trees.items():
        for node in [*find(tree, "Link"), *find(tree, "Image")]:
            target = unquote(node["c"][2][0])
            if re.match(r"[a-z]+:", target):
                continue
            count += 1
            known = (filled.vault / target).is_file() or filled.holds(target)
            assert known, f"{note}: {target}"
    assert count > 20


def test_nothing_is_raw_but_our_markers(trees):
    for note, tree in trees.items():
        for node in [*find(tree, "RawBlock"), *find(tree, "RawInline")]:
            text = node["c"][1].strip()
            ours = re.fullmatch(r"(?:<!--\s*(?:thesis:|/?t\b|t:).*?-->\s*)+|<br>", text, re.DOTALL)
            assert ours, f"{note}: {text}"


def test_hostile_texts_are_words(trees):
    text = plain(trees["05-Results/Runs/hostile@1.md"])
    assert "a|b [[x]] <%* %> -->" in text


def test_the_raw_notes_become_html(filled, tmp_path):
    page = pandoc("-f", READER, "-t", "html", *filled.notes, folder=filled.vault)
    shown = re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)
    assert "thesis:begin" not in shown
    assert shown.count("<table") > 5


def test_the_raw_notes_become_a_pdf(filled):
    source = filled.vault / "all.typ"
    pandoc("-f", READER, "-t", "typst", "-s", *filled.notes, "-o", source, folder=filled.vault)
    typst.compile(str(source), output=str(filled.vault / "all.pdf"), root=str(filled.vault))
    assert (filled.vault / "all.pdf").read_bytes().startswith(b"%PDF-")


def test_the_raw_notes_become_latex(filled):
    text = pandoc("-f", READER, "-t", "latex", "-s", *filled.notes, folder=filled.vault)
    figures = re.findall(r"\\includegraphics\[[^]]*\]\{([^}]*)\}", text)
    assert figures
    assert all((filled.vault / figure).is_file() for figure in figures)


@pytest.mark.parametrize("name", ["html", "latex", "docx", "pdf"])
def test_nothing_of_the_vault_is_left_in_an_export(filled, name):
    done = export(filled.workspace, (), ExportOptions(to=name, with_runs=True))
    known = ("hostile", "not printed, for nothing stands below")
    assert [one for one in done.warnings if not any(text in one for text in known)] == []
    text = words_of(done.output, name, filled)
    shown = without_hostile(text)
    for left in LEFT:
        place = shown.find(left)
        assert place < 0, shown[max(0, place - 100) : place + 100]


def words_of(path, name, filled):
    """Read an export back by a program that did not write it where there is one."""
    if name == "pdf":
        if shutil.which("pdftotext") is None:
            pytest.skip("pdftotext is not installed: the words of the PDF can't be read back")
        command = ["pdftotext", str(path), "-"]
        return subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8")
    if name == "latex":  # pandoc's own reader of LaTeX loses letters before \\%
        body = path.read_text(encoding="utf-8").partition("\\begin{document}")[2]
        for escaped, letter in ESCAPED.items():
            body = body.replace(escaped, letter)
        return body
    tree = json.loads(pandoc("-f", name, "-t", "json", path, folder=filled.vault))
    return plain(tree["blocks"])


def without_hostile(text):
    """Take the hostile texts out, which stand there word by word as they should."""
    text = " ".join(text.replace("\u200b", "").split())
    end = r"\[\[p\.png\]\](?:.{0,30}?id=x\s*\S{0,3}>)?"  # comments are private
    text = re.sub(rf"a\|?b \[\[x\]\].{{0,90}}?{end}", "", text)
    return re.sub(r"Thèse \|? ?\[\[x\]\]|a\|?b %% \[\[y\]\]", "", text)


def test_exported_links_lead_to_places(filled):
    page = export(filled.workspace, (), ExportOptions(to="html", with_runs=True)).output
    text = page.read_text(encoding="utf-8")
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets
    assert targets <= ids
    assert not re.findall(r'<img[^>]*src="(?!data:)', text)


@pytest.mark.external
def test_exported_latex_is_one_that_latex_takes(filled):
    if shutil.which("xelatex") is None:
        pytest.skip("no TeX is installed: the LaTeX source was only read back, not set")
    source = export(filled.workspace, (), ExportOptions(to="latex", with_runs=True)).output
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", source.name]
    answer = subprocess.run(command, cwd=source.parent, capture_output=True, check=False)
    told = answer.stdout.decode("utf-8", "replace")
    missing = re.search(r"File `([^']+)' not found", told)
    if missing:
        pytest.skip(f"the TeX that is installed has no {missing[1]}")
    assert answer.returncode == 0, told[-3000:]
