"""A university's own LaTeX class, Typst template and Word document: used, and checked first."""

from __future__ import annotations

import re
import shutil
import zipfile

import pytest
from stand_ins.university import BURGUNDY, write_university

from experiments.workspace.workspace import Workspace
from featherface.errors import NotFoundError, UnavailableError, UsageError
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export
from vault_sync.export.front_matter.word_contents import fill_contents, style_ids

FACE = """
[document]
degree = "these"
abstract = "We count *faces*."
jury = [{ name = "A. One", role = "Chair" }]
place = "Lyon"
[export]
"""


@pytest.fixture
def university(tmp_path):
    """Return what opens a workspace with SETTINGS in its [export]."""
    root = tmp_path / "thesis"
    workspace = Workspace.create(root, language="en", title="A & B", author="C. Student")
    for path in ("01-A/a.md", "02-B/b.md"):
        (workspace.vault / path).parent.mkdir(parents=True)
        (workspace.vault / path).write_text("# T\n\ntext\n", encoding="utf-8")
    before = (root / "thesis.toml").read_text(encoding="utf-8")

    def opened(**settings):
        lines = [f"{key} = '{value}'\n" for key, value in settings.items()]
        (root / "thesis.toml").write_text(before + FACE + "".join(lines), encoding="utf-8")
        return Workspace.open(root)

    return opened


def test_a_class_lies_beside_the_source_with_what_it_needs(university, tmp_path):
    settings = write_university(tmp_path / "thesis")
    done = export(university(**settings), (), ExportOptions(to="latex"))
    text = done.output.read_text(encoding="utf-8")
    assert re.search(r"\\documentclass\[[^]]*\]\{university\}", text)
    assert "geometry" not in text.partition("\\begin{document}")[0]
    assert "\\newcommand{\\ThesisTitle}{A \\& B}" in text
    assert "\\newcommand{\\ThesisJury}{A. One &  & Chair \\\\ }" in " ".join(text.split("\n"))
    assert "We count \\emph{faces}." in text.partition("\\newcommand{\\ThesisAbstract}{%")[2][:60]
    beside = {path.name for path in done.output.parent.iterdir()}
    assert beside == {"thesis.tex", "university.cls", "universitymarks.sty"}


def test_a_class_someone_changed_beside_the_source_is_kept(university, tmp_path):
    workspace = university(**write_university(tmp_path / "thesis"))
    done = export(workspace, (), ExportOptions(to="latex"))
    (done.output.parent / "university.cls").write_text("mine", encoding="utf-8")
    with pytest.raises(Exception, match=r"university\.cls was changed"):
        export(workspace, (), ExportOptions(to="latex"))


def test_a_template_of_typst_gets_the_data_and_sets_the_page(university, tmp_path):
    own = export(university(), (), ExportOptions(to="pdf"))
    theirs = export(
        university(**write_university(tmp_path / "thesis")),
        (),
        ExportOptions(to="pdf", output=tmp_path / "theirs.pdf"),
    )
    assert own.pages == 5
    assert theirs.pages == 5
    assert own.output.read_bytes() != theirs.output.read_bytes()


def test_a_word_document_gives_its_styles_and_gets_those_it_lacks(university, tmp_path):
    workspace = university(**write_university(tmp_path / "thesis"))
    done = export(workspace, (), ExportOptions(to="docx"))
    with zipfile.ZipFile(done.output) as archive:
        styles = archive.read("word/styles.xml").decode("utf-8")
        document = archive.read("word/document.xml").decode("utf-8")
        assert "Georgia" in archive.read("word/theme/theme1.xml").decode("utf-8")
    assert BURGUNDY in styles
    ids = style_ids(styles)
    assert ids["front title"] == "FrontTitle"
    assert ids["table 9"] == "Table9"
    assert re.findall(r'<w:pgMar\b[^>]*w:left="(\d+)"', document) == ["1985"]
    # The headings of this document begin no page: the first chapter gets a break of its own.
    head = document[: document.index('w:val="Heading1"')]
    assert head.rindex('w:type="page"') > head.index("TOC")


def test_a_typst_pdf_tells_that_the_class_is_not_used(university, tmp_path):
    settings = write_university(tmp_path / "thesis")
    workspace = university(latex_class=settings["latex_class"])
    done = export(workspace, (), ExportOptions(to="pdf"))
    assert "--pdf-engine lualatex" in done.warnings[0]


FAULTS = {
    ("latex", "latex_class", "a.cls"): ("hello", "neither"),
    ("latex", "latex_class", "a b.cls"): ("\\ProvidesClass{a}", "space"),
    ("latex", "latex_class", "sub/a.sty"): ("\\ProvidesPackage{a}", "ends with .cls"),
    ("pdf", "typst_template", "a.typ"): ("#let theses(data, body) = body", "thesis(data, body)"),
    ("pdf", "typst_template", "a.txt"): ("#let thesis(data, body) = body", "ends with .typ"),
    ("docx", "reference_docx", "a.docx"): ("no archive", "can't be read"),
    ("docx", "reference_docx", "a.doc"): ("old", "save it as .docx"),
    ("html", "csl", "a.csl"): ("<style/>", "no citation style"),
}


@pytest.mark.parametrize("case", FAULTS, ids="-".join)
def test_what_a_file_lacks_is_told_before_any_work(university, tmp_path, case):
    form, key, name = case
    text, told = FAULTS[case]
    file = tmp_path / "thesis" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(told)) as caught:
        export(university(**{key: name}), (), ExportOptions(to=form))
    assert f"export.{key}" in str(caught.value)
    assert "docs/export.md" in caught.value.hint
    assert not (tmp_path / "thesis" / "export").exists()


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ("latex", "latex_class"),
        ("latex", "latex_preamble"),
        ("pdf", "typst_template"),
        ("docx", "reference_docx"),
        ("html", "csl"),
    ],
)
def test_a_missing_file_is_told(university, form, key):
    with pytest.raises(NotFoundError, match=rf"export\.{key}: there is no file"):
        export(university(**{key: "gone/x.cls"}), (), ExportOptions(to=form))


def test_a_class_that_no_tex_knows_is_told(university, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NotFoundError, match="knows no class 'no name'"):
        export(university(latex_class="no name"), (), ExportOptions(to="latex"))
    done = export(university(latex_class="memoir"), (), ExportOptions(to="latex"))
    assert "{memoir}" in done.output.read_text(encoding="utf-8")


def test_files_of_other_formats_are_not_looked_at(university):
    assert export(university(typst_template="gone.typ"), (), ExportOptions(to="html")).output


def test_a_logo_is_a_picture_that_all_formats_show(university, tmp_path):
    (tmp_path / "thesis" / "logo.svg").write_text("<svg/>", encoding="utf-8")
    workspace = university()
    settings = tmp_path / "thesis" / "thesis.toml"
    text = settings.read_text(encoding="utf-8").replace("\ndegree", "\nlogo = 'logo.svg'\ndegree")
    settings.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"document\.logo: logo\.svg: a logo is a PNG or JPEG"):
        export(Workspace.open(workspace.root), (), ExportOptions(to="html"))


def test_the_contents_of_word_are_filled_by_the_names_of_styles():
    styles = (
        '<w:style w:styleId="Titre1"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:styleId="TM1"><w:name w:val="toc 1"/></w:style>'
    )
    field = (
        '<w:p><w:r><w:fldChar w:fldCharType="begin" w:dirty="true"/><w:instrText>TOC \\o &quot;1-3'
        '&quot;</w:instrText><w:fldChar w:fldCharType="separate"/><w:fldChar w:fldCharType="end"/>'
        "</w:r></w:p>"
    )
    heading = (
        '<w:bookmarkStart w:id="1" w:name="one"/><w:p><w:pPr><w:pStyle w:val="Titre1"/></w:pPr>'
        "<w:r><w:t>1</w:t></w:r><w:r><w:tab/></w:r><w:r><w:t>A &amp; B</w:t></w:r></w:p>"
    )
    filled = fill_contents(f"<w:body>{field}{heading}</w:body>", styles)
    entry = filled.partition('w:val="TM1"')[2].partition("</w:p>")[0]
    assert 'w:anchor="one"' in entry
    assert "1 A &amp; B" in entry
    assert filled.count("<w:fldChar ") == 3
    assert filled.endswith(f"{heading}</w:body>")
    assert fill_contents(heading, styles) == heading


@pytest.mark.external
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["lualatex", "xelatex", "pdflatex"])
def test_a_tex_of_ones_own_sets_the_thesis_in_the_class(university, tmp_path, engine):
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed: its PDF can't be made here")
    try:
        export(university(), ["a"], ExportOptions(to="pdf", engine=engine))
    except UnavailableError as error:
        pytest.skip(f"the TeX that is installed can't set a plain page by {engine}: {error}")
    workspace = university(**write_university(tmp_path / "thesis"))
    done = export(workspace, (), ExportOptions(to="pdf", engine=engine))
    assert done.output.read_bytes().startswith(b"%PDF-")
