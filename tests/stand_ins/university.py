"""A university of our own making: its LaTeX class, its Typst template, its Word document."""

from __future__ import annotations

import io
import re
import zipfile

from vault_sync.export.reading import pandoc

LATEX_CLASS = r"""
\NeedsTeXFormat{LaTeX2e}
\ProvidesClass{university}[2026/01/01 Our university]
\DeclareOption*{\PassOptionsToClass{\CurrentOption}{report}}
\ProcessOptions\relax
\LoadClass[12pt]{report}
\RequirePackage[a4paper,left=3.5cm,right=2.5cm,top=3cm,bottom=3cm]{geometry}
\RequirePackage{universitymarks}
\newcommand{\thesistitlepage}{%
  \begin{titlepage}
    \noindent\universitymark\par
    \vspace{3cm}
    {\noindent\Huge\bfseries\ThesisTitle\par}
    \vspace{1cm}
    {\noindent\large\ThesisDegree{} -- \ThesisAuthor\par}
    \vfill
    \noindent\begin{tabular}{lll}\ThesisJury\end{tabular}\par
    \bigskip
    \noindent\ThesisPlace, \ThesisDefence
  \end{titlepage}}
"""
LATEX_MARKS = r"""
\ProvidesPackage{universitymarks}
\newcommand{\universitymark}{\rule{1cm}{1cm}\quad OUR UNIVERSITY}
"""
TYPST_TEMPLATE = """
#import "marks.typ": mark
#let thesis(data, body) = {
  set page(paper: "a4", margin: (left: 3.5cm, right: 2.5cm, y: 3cm), numbering: none)
  set text(size: 12pt)
  mark
  v(3cm)
  text(size: 28pt, weight: "bold", data.title)
  v(1cm)
  [#data.degree -- #data.author]
  v(1fr)
  for member in data.jury [#member.name (#member.role) \\ ]
  [#data.place, #data.defence]
  for page in data.pages {
    pagebreak()
    if page.title != none { heading(level: 1, numbering: none, outlined: false, page.title) }
    page.body
    if page.keywords != none { par[_#page.keywords;_] }
  }
  pagebreak()
  outline(title: data.contents, depth: 2)
  set page(numbering: "1")
  counter(page).update(1)
  show heading.where(level: 1): it => { pagebreak(weak: true); text(fill: rgb("#800020"), it) }
  body
}
"""
TYPST_MARKS = (
    '#let mark = box(fill: rgb("#800020"), inset: 8pt, text(fill: white)[OUR UNIVERSITY])\n'
)
BURGUNDY = "800020"
"""Colour of the headings in the Word document."""


def write_university(folder):
    """Write the four files of a university into FOLDER/university; return their settings."""
    place = folder / "university"
    place.mkdir(parents=True)
    files = {
        "university.cls": LATEX_CLASS.lstrip(),
        "universitymarks.sty": LATEX_MARKS.lstrip(),
        "university.typ": TYPST_TEMPLATE.lstrip(),
        "marks.typ": TYPST_MARKS,
    }
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    (place / "university.docx").write_bytes(word_document())
    return {
        "latex_class": "university/university.cls",
        "typst_template": "university/university.typ",
        "reference_docx": "university/university.docx",
    }


def word_document():
    """Make a Word document in Georgia with burgundy headings, wide margins and a footer line."""
    original, _ = pandoc.run_pandoc(["--print-default-data-file", "reference.docx"], ".")
    section = (
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1701" w:right="1418" '
        'w:bottom="1701" w:left="1985" w:header="709" w:footer="709" w:gutter="0"/></w:sectPr>'
    )
    changes = {
        "word/styles.xml": lambda text: re.sub(
            r'(<w:color [^>]*w:val=")0F4761"', rf'\g<1>{BURGUNDY}"', text
        ),
        "word/theme/theme1.xml": lambda text: re.sub(
            r'(<a:latin typeface=)"Aptos[^"]*"', r'\1"Georgia"', text
        ),
        "word/document.xml": lambda text: re.sub(
            r"<w:sectPr\b.*?</w:sectPr>|<w:sectPr\s*/>", section, text, flags=re.DOTALL
        ),
    }
    archive = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(original)) as source,
        zipfile.ZipFile(archive, "w") as target,
    ):
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename in changes:
                content = changes[entry.filename](content.decode()).encode()
            target.writestr(entry, content)
    return archive.getvalue()
