"""One table, five formats: terminal text, Markdown, LaTeX, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from experiments.numbers import HARD, THIN, format_number

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Number:
    """A cell that holds a value, and the interval it lies in where one is known."""

    value: float
    spec: str = ".4g"
    """Of `format_number`."""
    low: float | None = None
    high: float | None = None
    mark: str = ""
    """Shown behind it, such as `*` for a difference whose interval excludes zero."""

    def text(self, language: str) -> str:
        """Return the number, its mark and its interval as LANGUAGE prints them."""
        shown = format_number(self.value, self.spec, language) + self.mark
        if self.low is None or self.high is None:
            return shown
        ends = [UNIT.sub("", format_number(end, self.spec, language)) for end in self.ends]
        joint = f"{HARD}; " if language == "fr" else ", "
        return f"{shown} [{joint.join(ends)}]"

    @property
    def ends(self) -> tuple[float, ...]:
        """Both ends of the interval; none where it is not known."""
        return () if self.low is None or self.high is None else (self.low, self.high)


UNIT = re.compile(r"\u00a0?(%|pt|[KMG])$")
"""Behind a number; said once, not again at both ends of its interval."""
Cell: TypeAlias = str | Number | None
ABSENT = "–"
BROAD = 6
"""Columns that LaTeX sets in letters of the usual size."""
LINE = 75
"""Letters that stand side by side on an A4 page of LaTeX; a longer row is stacked."""
PAGE = 45
"""Rows that stand on one page of LaTeX; a longer table goes on over several."""
NARROW = 12
"""Letters of a column's title that stand on one line of a stacked table."""


@dataclass(frozen=True)
class Table:
    """Titles, rows of cells, and where the numbers come from."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    """What a reader must know: data set, split, images, protocol."""
    provenance: tuple[str, ...] = ()
    """One line per run: id and seal."""
    numeric: frozenset[int] = field(default_factory=frozenset)
    """Columns set flush right; those that hold a Number where left empty."""

    @property
    def right(self) -> frozenset[int]:
        """The columns set flush right."""
        places = range(len(self.columns))
        held = {at for at in places if any(isinstance(row[at], Number) for row in self.rows)}
        return self.numeric or frozenset(held)


def markdown(table: Table, language: str = "en") -> str:
    """Return a GitHub-flavoured table, columns padded, notes below it."""
    lines = [[_plain(cell, language) for cell in row] for row in (table.columns, *table.rows)]
    cells = [[_escape_markdown(text) for text in line] for line in lines]
    widths = [max(3, *(len(line[at]) for line in cells)) for at in range(len(table.columns))]
    rule = [
        "-" * (width - 1) + ":" if at in table.right else "-" * width
        for at, width in enumerate(widths)
    ]
    padded = [_padded(line, widths, table.right) for line in (cells[0], rule, *cells[1:])]
    text = "\n".join(f"| {' | '.join(line)} |" for line in padded)
    notes = "\n".join(f"- {_escape_markdown(note)}" for note in table.notes)
    return f"{text}\n\n{notes}\n" if notes else f"{text}\n"


def latex(table: Table, language: str = "en") -> str:
    r"""Return a booktabs table whose numbers are siunitx's `\num`; each run in a comment line.

    Needs `\usepackage{booktabs}` and `\usepackage{siunitx}`; siunitx's own locale decides on
    comma or point. A row too long for an A4 page gets intervals below their values, titles of two
    lines and smaller letters; a table too long for one goes on over several, and then needs
    `\usepackage{longtable}` too.
    """
    stacked = _length(table) > LINE
    sides = ["r" if at in table.right else "l" for at in range(len(table.columns))]
    titles = [
        _latex_title(title, side) if stacked else _escape_latex(title)
        for title, side in zip(table.columns, sides, strict=True)
    ]
    rows = [" & ".join(_latex_cell(cell, stacked=stacked) for cell in row) for row in table.rows]
    small = _latex_size(table)
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
    lines = [*(f"% provenance: {_one_line(line)}" for line in table.provenance), *lines]
    del language
    return "\n".join(lines) + "\n"


def comma_separated(table: Table, language: str = "en") -> str:
    """Return CSV in full precision; intervals are columns of their own."""
    del language
    places = range(len(table.columns))
    ranged = [at for at in places if any(any(_ends(row[at])) for row in table.rows)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        _spread(list(table.columns), ranged, lambda title: (f"{title} low", f"{title} high"))
    )
    for row in table.rows:
        writer.writerow(_spread(list(row), ranged, _ends))
    return stream.getvalue()


def as_json(table: Table, language: str = "en") -> str:
    """Return JSON in full precision."""
    del language
    return json.dumps(to_json(table), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def to_json(table: Table) -> dict[str, Any]:
    """Return plain values in full precision."""
    return {
        "title": table.title,
        "columns": list(table.columns),
        "rows": [[_json_cell(cell) for cell in row] for row in table.rows],
        "notes": list(table.notes),
        "provenance": list(table.provenance),
    }


FORMATS: dict[str, Callable[[Table, str], str]] = {
    "md": markdown,
    "latex": latex,
    "csv": comma_separated,
    "json": as_json,
}
"""How `--format` writes a table; `table` is the terminal's own."""


def _plain(cell: Cell, language: str) -> str:
    if cell is None:
        return ABSENT
    return cell.text(language) if isinstance(cell, Number) else cell


def _padded(line: list[str], widths: list[int], right: frozenset[int]) -> list[str]:
    return [
        text.rjust(width) if at in right else text.ljust(width)
        for at, (text, width) in enumerate(zip(line, widths, strict=True))
    ]


def _escape_markdown(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*")


def _one_line(text: str) -> str:
    return " ".join(text.split("\n")).replace("\r", " ")


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
    return "".join(LATEX.get(letter, letter) for letter in _one_line(text))


def _latex_size(table: Table) -> str:
    """Return what sets the letters of a table smaller, the more there is in a row."""
    length = _length(table)
    if len(table.columns) > BROAD or length > 1.5 * LINE:
        return r"\scriptsize\setlength{\tabcolsep}{2.5pt}"
    return r"\small\setlength{\tabcolsep}{4pt}" if length > LINE else ""


def _length(table: Table) -> int:
    """Return the letters of a row in which each cell is as long as the longest of its column."""
    columns = zip(table.columns, *table.rows, strict=True)
    return sum(max(len(_plain(cell, "en")) for cell in column) for column in columns)


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
    ends = [_latex_number(end, cell.spec, unit=False) for end in cell.ends]
    if not ends:
        return shown
    between = f"[{'; '.join(ends)}]"
    # The braces keep LaTeX from taking the bracket for an argument of the line's end.
    return _stacked(shown, "{}" + between) if stacked else f"{shown} {between}"


def _latex_number(value: float, spec: str, *, unit: bool = True) -> str:
    text = format_number(value, spec.replace(",", ""), "en")
    digits, _, name = text.replace("%", f"{HARD}%").partition(HARD)
    sign = "+" if digits.startswith("+") else ""
    number = rf"{sign}\num{{{digits.removeprefix('+')}}}"
    return number + (rf"\,{_escape_latex(name)}" if unit and name else "")


def _spread(row: list[Any], ranged: list[int], ends: Callable[[Any], tuple[Any, Any]]) -> list[Any]:
    spread: list[Any] = []
    for at, cell in enumerate(row):
        spread.append(_bare(cell))
        spread += ends(cell) if at in ranged else ()
    return spread


def _bare(cell: Any) -> Any:
    if isinstance(cell, Number):
        return repr(cell.value)
    return "" if cell is None else cell


def _ends(cell: Cell) -> tuple[str, str]:
    if not isinstance(cell, Number) or cell.low is None or cell.high is None:
        return ("", "")
    return (repr(cell.low), repr(cell.high))


def _json_cell(cell: Cell) -> Any:
    if not isinstance(cell, Number):
        return cell
    if cell.low is None:
        return cell.value
    return {"value": cell.value, "low": cell.low, "high": cell.high}
