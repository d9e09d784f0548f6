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


FORMATS = {
    "pdf": DocumentFormat(
        ".pdf", "typst-citations-smart", "a printable document, set by typst or by LaTeX"
    ),
    "docx": DocumentFormat(".docx", "docx", "a Word document"),
    "latex": DocumentFormat(".tex", "latex", "a LaTeX source with its figures beside it"),
    "html": DocumentFormat(".html", "html5", "one HTML page that holds its pictures"),
}
ENGINES = ("typst", "lualatex", "xelatex", "pdflatex", "tectonic")
"""Programs that set a PDF; all but the first are the student's own."""
