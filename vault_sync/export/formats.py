"""The formats a vault is exported to, one entry each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DocumentFormat:
    """An entry of the table of formats: the file's suffix, and the writer that makes it."""

    suffix: str
    writer: str
    """What pandoc is asked to write."""
    summary: str
    slides: bool = False
    """Whether it shows a note of slides, and no thesis."""

    @property
    def layout(self) -> str:
        """Return the writer without its extensions, by which layouts are found."""
        return self.writer.partition("-")[0]


FORMATS = {
    "pdf": DocumentFormat(
        ".pdf", "typst-citations-smart", "a printable document, set by typst or by LaTeX"
    ),
    "docx": DocumentFormat(".docx", "docx", "a Word document"),
    "latex": DocumentFormat(".tex", "latex", "a LaTeX source with its figures beside it"),
    "html": DocumentFormat(".html", "html5", "one HTML page that holds its pictures"),
    "slides": DocumentFormat(
        ".pdf", "typst-citations-smart", "slides as a PDF, 16:9, set by typst", slides=True
    ),
    "slides-html": DocumentFormat(
        ".html", "html5", "slides as one HTML page, for any browser", slides=True
    ),
    "slides-pptx": DocumentFormat(".pptx", "pptx", "slides for PowerPoint", slides=True),
}
DOCUMENTS = {name: form for name, form in FORMATS.items() if not form.slides}
SLIDES = {name: form for name, form in FORMATS.items() if form.slides}
ENGINES = ("typst", "lualatex", "xelatex", "pdflatex", "tectonic")
"""Programs that set a PDF; all but the first are the student's own."""
