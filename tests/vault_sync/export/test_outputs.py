"""Each format is a document of its kind; outputs go where they may, and only there."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from experiments.workspace.workspace import Workspace
from featherface.errors import NotFoundError, RefusedError, UnavailableError, UsageError
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export
from vault_sync.export.format_specific import LAYOUTS
from vault_sync.export.formats import DOCUMENTS, ENGINES, FORMATS
from vault_sync.export.reading import pandoc

WIDE = "| " + " | ".join(f"Parameter {n}" for n in range(14)) + " |\n" + "|---" * 14 + "|\n"
WIDE += "| " + " | ".join("1,234,567" for n in range(14)) + " |\n"
NOTE = f"""\
# Titre : « essai »

Texte à 82,5 % ? ==oui== ~~né~~ $a_1$ `x_y`

> [!note] Boîte
> avec *texte*

![Une courbe](courbe.png)

- [x] fait

{WIDE}
| a | b |
|--|--|
| {"long texte " * 30} | x |

#eval(1) \\input{{/etc/passwd}} $\\input{{/etc/passwd}}$ @label <label>
"guillemets" \\_ _ [ ] {{ }} ~
"""


@pytest.fixture
def filled(tmp_path):
    """A vault whose place has spaces and accents, with a picture and a wide table."""
    workspace = Workspace.create(
        tmp_path / "ma thèse", language="fr", title="Été & \\hiver #1", author="É. {L}_x"
    )
    for path in ("01-Début/note à moi.md", "02-Suite/b.md", "Annexes/c.md"):
        file = workspace.vault / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(NOTE, encoding="utf-8")
    write_picture(workspace.vault / "courbe.png")
    return workspace


def write_picture(path):
    from PIL import Image  # noqa: PLC0415 - most tests draw nothing

    Image.new("RGB", (500, 300), "white").save(path)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_format_is_made_and_the_vault_stays(filled, stamps, name):
    before = stamps(filled.vault)
    done = export(filled, (), ExportOptions(to=name))
    assert done.output == filled.root / "export" / f"thesis{FORMATS[name].suffix}"
    assert stamps(filled.vault) == before
    looks = {"pdf": is_pdf, "docx": is_docx, "latex": is_latex, "html": is_html}
    assert name in looks, f"say here what a document of the format {name!r} holds"
    looks[name](done.output)


def is_pdf(path):
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 5
    assert b"fr" in content


def is_docx(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, content in parts.items():
        if name.endswith((".xml", ".rels")):
            ET.fromstring(content)  # noqa: S314 - of our own making
    text = parts["word/document.xml"].decode("utf-8")
    assert text.count('w:orient="landscape"') == 3
    assert text.count("w:footerReference") == 7
    assert 'w:val="CalloutTitle"' in text
    assert " SEQ Figure " in text
    assert (
        'w:lang w:bidi="ar-SA" w:eastAsia="zh-CN" w:val="fr-FR"'
        in parts["word/styles.xml"].decode()
    )
    assert any(name.startswith("word/media/") for name in parts)


def is_latex(path):
    text = path.read_text(encoding="utf-8")
    figures = re.findall(r"\\includegraphics\[[^]]*\]\{([^}]*)\}", text)
    assert figures
    assert all((path.parent / figure).is_file() for figure in figures)
    assert "\\begin{callout}" in text
    assert "\\begin{landscape}" in text
    assert "\\appendix" in text
    assert "\\input{/etc" not in text
    assert text.count("{") - text.count("\\{") == text.count("}") - text.count("\\}")
    assert "french" in text


def test_a_formula_that_no_program_knows_is_told(workspace):
    (workspace.vault / "a.md").write_text("# A\n\n$\\nonsense{x}$\n", encoding="utf-8")
    done = export(workspace, (), ExportOptions(to="pdf"))
    assert any("nonsense" in warning for warning in done.warnings)


def test_a_formula_that_reads_files_is_shown_as_code(filled):
    done = export(filled, (), ExportOptions(to="latex"))
    assert "01-Début/note à moi.md" in str(done.warnings)
    assert any("the formula holds \\input" in one for one in done.warnings)


def is_html(path):
    text = path.read_text(encoding="utf-8")
    assert '<html lang="fr">' in text
    assert "82,5\u202f%\u202f?" in text
    assert "Table des matières" in text
    assert not re.search(r'(?:src|href)="(?!#|data:|https?:)', text)


def test_one_note_is_a_short_document(filled):
    done = export(filled, ["note à moi"], ExportOptions(to="html"))
    assert done.output.name == "note à moi.html"
    assert done.notes == ("01-Début/note à moi.md",)
    text = done.output.read_text(encoding="utf-8")
    assert "<nav>" not in text
    assert "<h1>Titre\u202f: «\u202fessai\u202f»</h1>" in text


def test_named_notes_come_in_their_order(filled):
    done = export(filled, ["c", "01-Début"], ExportOptions(to="html"))
    assert done.notes == ("Annexes/c.md", "01-Début/note à moi.md")
    assert done.left_out == ()


def test_a_name_may_be_a_path_on_the_disk(filled, monkeypatch):
    monkeypatch.chdir(filled.vault / "02-Suite")
    assert export(filled, ["b.md"], ExportOptions(to="html")).notes == ("02-Suite/b.md",)
    whole = str(filled.vault / "Annexes")
    assert export(filled, [whole], ExportOptions(to="html")).notes == ("Annexes/c.md",)


def test_a_mistyped_name_is_answered_with_the_nearest(filled):
    with pytest.raises(NotFoundError, match="did you mean 'note à moi'"):
        export(filled, ["note a moi"], ExportOptions(to="html"))


def test_an_empty_vault_has_nothing_to_export(workspace):
    with pytest.raises(NotFoundError, match="no chapter") as caught:
        export(workspace, (), ExportOptions(to="html"))
    assert "thesis report sync" in caught.value.hint


def test_nothing_is_exported_into_the_vault(filled, stamps):
    before = stamps(filled.vault)
    with pytest.raises(RefusedError, match="in the vault"):
        export(filled, (), ExportOptions(to="html", output=filled.vault / "x.html"))
    assert stamps(filled.vault) == before


def test_the_output_has_the_name_of_its_format(filled, tmp_path):
    with pytest.raises(UsageError, match="no name for --to html"):
        export(filled, (), ExportOptions(to="html", output=tmp_path / "x.docx"))
    folder = tmp_path / "un dossier"
    folder.mkdir()
    assert export(filled, (), ExportOptions(to="html", output=folder)).output.parent == folder


def test_a_document_someone_worked_on_is_kept(filled):
    output = export(filled, (), ExportOptions(to="html")).output
    export(filled, (), ExportOptions(to="html"))
    output.write_text("remarks of the supervisor", encoding="utf-8")
    with pytest.raises(RefusedError, match="changed since it was exported") as caught:
        export(filled, (), ExportOptions(to="html"))
    assert "--force" in caught.value.hint
    assert output.read_text(encoding="utf-8") == "remarks of the supervisor"
    export(filled, (), ExportOptions(to="html", force=True))
    assert "Titre" in output.read_text(encoding="utf-8")


def test_the_same_vault_gives_the_same_page(filled):
    first = export(filled, (), ExportOptions(to="html")).output.read_bytes()
    assert export(filled, (), ExportOptions(to="html")).output.read_bytes() == first


def test_missing_pandoc_is_answered_with_the_command_that_installs_it(filled, monkeypatch):
    monkeypatch.setattr(pandoc, "_packaged", lambda: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    pandoc.find_pandoc.cache_clear()
    with pytest.raises(UnavailableError, match="needs pandoc") as caught:
        export(filled, (), ExportOptions(to="html"))
    assert caught.value.hint.endswith("-m pip install pypandoc_binary")
    assert sys.executable in caught.value.hint
    pandoc.find_pandoc.cache_clear()


def test_an_old_pandoc_is_none(filled, monkeypatch):
    monkeypatch.setattr(pandoc, "_packaged", lambda: None)
    monkeypatch.setattr(pandoc, "_version", lambda _: (2, 17))
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/pandoc")
    pandoc.find_pandoc.cache_clear()
    with pytest.raises(UnavailableError, match=r"/usr/bin/pandoc is 2\.17"):
        export(filled, (), ExportOptions(to="html"))
    pandoc.find_pandoc.cache_clear()


def test_missing_typst_is_answered_with_the_command_that_installs_it(filled, monkeypatch):
    monkeypatch.setattr(pandoc.util, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match="needs typst") as caught:
        export(filled, (), ExportOptions(to="pdf"))
    assert caught.value.hint.endswith("-m pip install typst")


def test_a_missing_engine_is_told_before_any_work(filled, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UnavailableError, match="lualatex") as caught:
        export(filled, (), ExportOptions(to="pdf", engine="lualatex"))
    assert "typst needs no TeX" in caught.value.hint


def test_unknown_choices_are_answered_with_the_nearest(filled):
    with pytest.raises(UsageError, match="did you mean 'docx'"):
        export(filled, (), ExportOptions(to="doc"))
    with pytest.raises(UsageError, match="did you mean 'xelatex'"):
        export(filled, (), ExportOptions(to="pdf", engine="xelate"))


def test_every_writer_has_a_layout():
    assert {form.writer.partition("-")[0] for form in FORMATS.values()} == set(LAYOUTS)


def test_every_layout_comes_with_the_package():
    root = Path(__file__).parents[3]
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["vault_sync"]
    files = {path for path in (root / "vault_sync/export/layout").iterdir() if path.is_file()}
    packed = {path for pattern in patterns for path in (root / "vault_sync").glob(pattern)}
    assert {path.name for path in files - packed} == {"__init__.py"}


def test_what_latex_lacks_is_named():
    message, hint = pandoc._failure("Error producing PDF.\n! File `soul.sty' not found.\n", 43)
    assert message == "your LaTeX has no soul.sty"
    assert "tlmgr install soul" in hint


@pytest.mark.external
@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES[1:])
def test_a_tex_of_ones_own_sets_the_pdf(filled, engine):
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed: its PDF can't be made here")
    plain = filled.vault / "01-Début" / "plain.md"
    plain.write_text("# A\n", encoding="utf-8")
    try:
        export(filled, ["plain"], ExportOptions(to="pdf", engine=engine))
    except UnavailableError as error:
        pytest.skip(f"the TeX that is installed can't set a plain page by {engine}: {error}")
    done = export(filled, (), ExportOptions(to="pdf", engine=engine))
    assert done.output.read_bytes().startswith(b"%PDF-")
