"""A table in LaTeX: booktabs, and siunitx's numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from experiments.wording.numbers import HARD, POINTS, SCALES, THIN, format_number, plain_number
from experiments.wording.tables import one_line, plain

if TYPE_CHECKING:
    from experiments.wording.tables import Cell, Table

BROAD = 6
"""Columns that LaTeX sets in letters of the usual size."""
LINE = 75
"""Letters that stand side by side on an A4 page of LaTeX; a longer row is stacked."""
PAGE = 45
"""Rows that stand on one page of LaTeX; a longer table goes on over several."""
NARROW = 12
"""Letters of a column's title that stand on one line of a stacked table."""


def latex(table: Table, language: str = "en") -> str:
    r"""Return a booktabs table whose numbers are siunitx's `\num`; each run in a comment line.

    Needs `\usepackage{booktabs}` and `\usepackage{siunitx}`; siunitx's own locale decides on
    comma or point. A row too long for an A4 page gets intervals below their values, titles of two
    lines and smaller letters; a table too long for one goes on over several, and then needs
    `\usepackage{longtable}` too.
    """
    length = _length(table)
    stacked = length > LINE
    sides = ["r" if at in table.right else "l" for at in range(len(table.columns))]
    titles = [
        _latex_title(title, side) if stacked else _escape_latex(title)
        for title, side in zip(table.columns, sides, strict=True)
    ]
    rows = [" & ".join(_latex_cell(cell, stacked=stacked) for cell in row) for row in table.rows]
    small = _latex_size(length, len(table.columns))
    head = [r"    \toprule", f"    {' & '.join(titles)}" + r" \\", r"    \midrule"]
    body = [rf"    {line} \\" for line in rows]
    notes = [rf"  \par\smallskip\footnotesize {_escape_latex(note)}" for note in table.notes]
    caption, columns = rf"\caption{{{_escape_latex(table.title)}}}", "".join(sides)
    if len(rows) > PAGE:
        top = [r"\begingroup" + small, rf"  \begin{{longtable}}{{{columns}}}", rf"    {caption} \\"]
        turn = [r"    \endhead", r"    \bottomrule", r"    \endlastfoot"]
        lines = [*top, *head, *turn, *body, r"  \end{longtable}", *notes, r"\endgroup"]
    else:
        top = [r"\begin{table}[htbp]", r"  \centering" + small, f"  {caption}"]
        inner = [rf"  \begin{{tabular}}{{{columns}}}", *head, *body, r"    \bottomrule"]
        lines = [*top, *inner, r"  \end{tabular}", *notes, r"\end{table}"]
    lines = [*(f"% provenance: {one_line(line)}" for line in table.provenance), *lines]
    del language
    return "\n".join(lines) + "\n"


LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "*": "{*}",  # behind a command, a bare star would be taken for a part of its name
    "²": r"\textsuperscript{2}",
    "×": r"$\times$",
    "±": r"$\pm$",
    "Δ": r"$\Delta$",
    "†": r"$\dagger$",
    "–": "--",
    HARD: "~",
    THIN: r"\,",
    "\u2212": "$-$",
}


def _escape_latex(text: str) -> str:
    return "".join(LATEX.get(letter, letter) for letter in one_line(text))


def _latex_size(length: int, columns: int) -> str:
    """Return what sets letters smaller, the more of them and the more columns are in a row."""
    if columns > BROAD or length > 1.5 * LINE:
        return r"\scriptsize\setlength{\tabcolsep}{2.5pt}"
    return r"\small\setlength{\tabcolsep}{4pt}" if length > LINE else ""


def _length(table: Table) -> int:
    """Return the letters of a row in which each cell is as long as the longest of its column."""
    columns = zip(table.columns, *table.rows, strict=True)
    return sum(max(len(plain(cell, "en")) for cell in column) for column in columns)


def _latex_title(title: str, side: str) -> str:
    """Write the title of a column on two lines, broken at the space nearest to its middle."""
    if len(title) <= NARROW:
        return _escape_latex(title)
    spaces = [at for at, letter in enumerate(title) if letter == " "]
    if not spaces:
        return _escape_latex(title)
    middle = min(spaces, key=lambda at: abs(2 * at - len(title)))
    return _stacked(_escape_latex(title[:middle]), _escape_latex(title[middle + 1 :]), side)


def _stacked(above: str, below: str, side: str = "r") -> str:
    return rf"\begin{{tabular}}[t]{{@{{}}{side}@{{}}}}{above}\\{below}\end{{tabular}}"


def _latex_cell(cell: Cell, *, stacked: bool = False) -> str:
    if cell is None:
        return "--"
    if isinstance(cell, str):
        return _escape_latex(cell)
    shown = _latex_number(cell.value, cell.spec)
    if cell.mark:
        shown += rf"\textsuperscript{{{_escape_latex(cell.mark)}}}"
    if cell.note:
        shown += f" ({_escape_latex(cell.note)})"
    if cell.share is not None:
        shown += f" ({_latex_number(cell.share, '+.1%')})"
    ends = [_latex_number(end, cell.spec.removeprefix("+"), unit=False) for end in cell.ends]
    if not ends:
        return shown
    between = f"[{'; '.join(ends)}]"
    # The braces keep LaTeX from taking the bracket for an argument of the line's end.
    return _stacked(shown, "{}" + between) if stacked else f"{shown} {between}"


def _latex_number(value: float, spec: str, *, unit: bool = True) -> str:
    if not math.isfinite(value):
        return _escape_latex(format_number(value, spec, "en"))
    digits = plain_number(value, spec.replace(",", ""))
    sign = "+" if digits.startswith("+") else ""
    number = rf"{sign}\num{{{digits.removeprefix('+')}}}"
    name = {"%": "%", "p": POINTS, **{scale: scale for scale in SCALES}}.get(spec[-1:], "")
    return number + (rf"\,{_escape_latex(name)}" if unit and name else "")
