"""Small notes that write figures, tables, formulas and references in every way that people do.

Each note says what a reader must find in a document of any format: the number of each caption and
formula, and what stands where a reference was. They are counted by hand.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"
WIDE = "| " + " | ".join(f"Parameter {n}" for n in range(14)) + " |\n" + "|---" * 14 + "|\n"
WIDE += "| " + " | ".join("1,234,567" for n in range(14)) + " |"


@dataclass(frozen=True)
class ReferenceNote:
    """A note and what is to be found of it."""

    text: str
    numbers: dict[str, str] = field(default_factory=dict)
    """Words of a caption -> `Figure 1.1`; words before a formula -> `(3.1)`, or nothing."""
    references: dict[str, str] = field(default_factory=dict)
    """Words before a reference, which ends with a bar -> what stands there."""
    without: tuple[str, ...] = ()
    """Words that no number stands before."""


def _figure(name: str, number: str, text: str) -> ReferenceNote:
    return ReferenceNote(text, {f"Curve {name}": f"Figure 1.{number}"})


def _table(name: str, number: str, text: str) -> ReferenceNote:
    return ReferenceNote(text, {f"Scores {name}": f"Table 2.{number}"})


def _formula(name: str, number: str, text: str) -> ReferenceNote:
    return ReferenceNote(text, {f"Law {name}": f"({number})"})


FIGURES = {
    "f01": _figure("f01", "1", "![Curve f01](p.png)"),
    "f02": _figure("f02", "2", "![[p.png|Curve f02]]"),
    "f03": _figure("f03", "3", "![[p.png]]\n\n*Curve f03 below.*"),
    "f04": _figure("f04", "4", "![[p.png]]\n*Curve f04 at once.*"),
    "f05": _figure("f05", "5", "![[p.png]]\n*Curve f05 at once.* ^fig5"),
    "f06": _figure("f06", "6", "![[p.png]] ^fig-f06\n\n*Curve f06 below the id.*"),
    "f07": _figure("f07", "7", "![[p.png]]\n^fig-f07\n\n*Curve f07 below a line of its own.*"),
    "f08": ReferenceNote(  # shown again by r22
        "![[p.png]]\n\n*Curve f08 above the id.*\n\n^fig-f08",
        {"Curve f08 above the id": "Figure 1.8 and Figure 4.3"},
    ),
    "f09": _figure("f09", "9", "![Curve f09](p.png){#fig:f09 width=50%}"),
    "f10": _figure("f10", "10", "![[p.png|Curve f10|200]]{#fig:f10 .wide}"),
    "f11": _figure("f11", "11", "> [!note] A box\n> ![[p.png]]\n> *Curve f11 in a box.*"),
    "f12": _figure("f12", "12", "- first\n- ![Curve f12](p.png)\n- last"),
    "f13": _figure("f13", "13", "> said\n>\n> ![Curve f13](p.png)"),
    "f14": _figure("f14", "14", "A word[^n].\n\n[^n]: At the foot.\n\n    ![Curve f14](p.png)"),
    "f15": _figure("f15", "15", "1. one\n   - two\n     ![[p.png]]\n     *Curve f15 in a list.*"),
    "f16": _figure("f16", "16", "![[p.png]]\n\n*Figure 7: Curve f16 that was counted by hand.*"),
    "f17": _figure("f17", "17", "A line of text\n![[p.png]]\n*Curve f17 right below.*\nand more."),
    "f18": _figure("f18", "18", "![[p.png]] ![[p.png]]\n*Curve f18 of two pictures.*"),
    "f19": _figure("f19", "19", "![[p.png]] _Curve f19 with $x_1$ and **weight**._"),
    "f20": ReferenceNote("![[p.png]]\n\nNo words f20.", without=("No words f20",)),
    "f21": _figure("f21", "20", "![p.png](p.png)\n*Curve f21, whose picture has a file's name.*"),
    "f22": ReferenceNote(
        "![[p.png]]\n^fig-f22\n\nOnly named.\n\nSee f22 [[#^fig-f22]]|.",
        references={"See f22": "figure 1.21"},
    ),
    "f25": _figure("f25", "26", "![[p.png]]\n*Curve f25, three lines.*\n^fig-f25"),
    "f26": ReferenceNote(
        "![[p.png]]\n*Curve f26, [[f01|linked]], noted[^c] beside @fig:f09|.*\n\n[^c]: Word.",
        {"Curve f26": "Figure 1.27"},
        {"noted beside": "figure 1.9"},
    ),
    "f23": _figure("f23", "22", "![](p.png){#fig:f23}\n*Curve f23 under empty words.*"),
    "f24": ReferenceNote(
        "![Curve f24 first](p.png)\n\n> ![Curve f24 quoted](p.png)\n\n![Curve f24 last](p.png)",
        {
            "Curve f24 first": "Figure 1.23",
            "Curve f24 quoted": "Figure 1.24",
            "Curve f24 last": "Figure 1.25",
        },
    ),
}
"""Chapter 1; a note's own section is 1.1, 1.2, …"""

TABLES = {
    "t01": _table("t01", "1", f"*Scores t01.*\n\n{TABLE}\n\n^tbl-t01"),
    "t02": _table("t02", "2", f"{TABLE}\n\n: Scores t02 {{#tbl:t02}}"),
    "t03": _table("t03", "3", f"{TABLE}\n: Scores t03 {{#tbl:t03}}"),
    "t04": _table("t04", "4", f": Scores t04\n\n{TABLE}"),
    "t05": _table("t05", "5", f"Table: Scores t05 {{#tbl:t05}}\n\n{TABLE}"),
    "t06": _table("t06", "6", f"*Scores t06.* ^tab-t06\n\n{TABLE}"),
    "t07": _table("t07", "7", f"{TABLE}\n\n*Scores t07.* ^tab-t07"),
    "t08": ReferenceNote(f"Nothing t08.\n\n{TABLE}", without=("Nothing t08",)),
    "t09": ReferenceNote(
        f"{TABLE}\n\n^tab-t09\n\nSee t09 [[#^tab-t09]]|.", references={"See t09": "table 2.8"}
    ),
    "t10": _table("t10", "9", f"*Scores t10 of a wide one.*\n\n{WIDE}\n\n^tbl-t10"),
    "t11": _table(
        "t11",
        "10",
        "> [!tip]\n> *Scores t11 in a box.*\n>\n> | a | b |\n> |--|--|\n> | 1 | 2 |\n>\n> ^tbl-t11",
    ),
    "t12": _table("t12", "11", "> | a | b |\n> |--|--|\n> | 1 | 2 |\n> : Scores t12 {#tbl:t12}"),
    "t13": ReferenceNote(
        f"![Curve t13](p.png)\n\n*Scores t13.*\n\n{TABLE}\n\n^tbl-t13",
        {"Curve t13": "Figure 2.1", "Scores t13": "Table 2.12"},
    ),
    "t14": _table("t14", "13", f"{TABLE}\n\n^tab-t14\n\n*Scores t14 after the id.*"),
    "t16": _table("t16", "14", f"Text above\n{TABLE}\n: Scores t16"),
    "t17": _table(
        "t17", "15", "> [!note] Box\n> | a | b |\n> |--|--|\n> | 1 | 2 |\n> : Scores t17 {#tbl:t17}"
    ),
    "t18": ReferenceNote(
        f"{TABLE.replace('1', '![Curve t18](p.png)')}\n\n: Scores t18",
        {"Scores t18": "Table 2.16"},
        without=("Curve t18",),
    ),
    "t15": ReferenceNote(f"*Only slanted t15.*\n\n{TABLE}", without=("Only slanted t15",)),
}
"""Chapter 2."""

FORMULAS = {
    "e01": _formula("e01", "3.1", "Law e01\n\n$$a = 1$$ ^eq-e01"),
    "e02": _formula("e02", "3.2", "Law e02\n\n$$\na = 2\n$$\n^eq-e02"),
    "e03": _formula("e03", "3.3", "Law e03\n\n$$ a = 3 $$ {#eq:e03}"),
    "e04": _formula("e04", "3.4", "Law e04\n\n$$a = 4 \\label{eq:e04}$$"),
    "e05": _formula(
        "e05", "3.5", "Law e05\n\n$$\\begin{align}a &= 5 \\label{eq:e05}\\\\ b &= 6\\end{align}$$"
    ),
    "e06": _formula("e06", "†", "Law e06\n\n$$a = 7 \\tag{$\\dagger$} \\label{eq:e06}$$"),
    "e07": ReferenceNote("Law e07\n\n$$a = 8$$", {"Law e07": ""}),
    "e08": _formula("e08", "3.6", "Law e08 $$a = 9$$ {#eq:e08}\nwhere $a$ is meant."),
    "e09": _formula("e09", "3.7", "> Law e09\n>\n> $$a = 10$$ ^eq-e09"),
    "e10": _formula("e10", "3.8", "- Law e10\n\n  $$a = 11$$ {#eq:e10}"),
    "e11": _formula("e11", "3.9", "Word[^e].\n\n[^e]: Law e11\n\n    $$a = 12$$ {#eq:e11}"),
    "e12": _formula(
        "e12", "3.10", "Law e12\n\n$$\\begin{equation}a = 13\\label{e12}\\end{equation}$$"
    ),
    "e13": _formula("e13", "3.11", "> [!tip] Law e13\n> $$\n> a = 14\n> $$\n> ^eq-e13"),
    "e14": ReferenceNote(
        "Law e14 one\n\n$$a = 15$$ ^eq-e14\n\nLaw e14 two\n\n$$a = 16$$ ^eq-e14b",
        {"Law e14 one": "(3.12)", "Law e14 two": "(3.13)"},
    ),
}
"""Chapter 3."""

REFERENCES = {
    "r01": ReferenceNote(
        "![Curve r01](p.png) ^fig-r01\n\nHere r01 [[#^fig-r01]]|.",
        {"Curve r01": "Figure 4.1"},
        {"Here r01": "figure 4.1"},
    ),
    "r02": ReferenceNote("There r02 [[f05#^fig5]]|.", references={"There r02": "figure 1.5"}),
    "r03": ReferenceNote("Own r03 [[f05#^fig5|words]]|.", references={"Own r03": "words"}),
    "r04": ReferenceNote("As r04 @fig:f09| shows.", references={"As r04": "figure 1.9"}),
    "r05": ReferenceNote("Up r05 @Fig:f09| shows.", references={"Up r05": "Figure 1.9"}),
    "r06": ReferenceNote(
        "Both r06 [@fig:f09; @fig:f23]|.", references={"Both r06": "figures 1.9 and 1.22"}
    ),
    "r07": ReferenceNote("Bare r07 [-@fig:f10]|.", references={"Bare r07": "1.10"}),
    "r08": ReferenceNote(
        "Row r08 [@eq:e04; @eq:e03; @eq:e01; @eq:e02; @eq:e08]|.",
        references={"Row r08": "equations (3.1)–(3.4) and (3.6)"},
    ),
    "r09": ReferenceNote(
        "Mixed r09 [@tbl:t03; @fig:f10]|.", references={"Mixed r09": "table 2.3 and figure 1.10"}
    ),
    "r10": ReferenceNote(
        "TeX r10 \\ref{fig:f09}|, tex r10 \\eqref{eq:e04}|, tox r10 \\cref{tbl:t02}|.",
        references={"TeX r10": "1.9", "tex r10": "(3.4)", "tox r10": "table 2.2"},
    ),
    "r11": ReferenceNote("Maths r11 $\\eqref{eq:e06}$|.", references={"Maths r11": "(†)"}),
    "r12": ReferenceNote(
        "Within r12\n\n$$b = 1 \\text{ by } \\eqref{eq:e05}$$\n\nEnd r12.",
    ),
    "r13": ReferenceNote(
        "Head r13 [[f03#A heading below]]|.", references={"Head r13": "section 1.3.1"}
    ),
    "r14": ReferenceNote(
        "### Deep {#sec:deep}\n\nSec r14 @sec:deep|.", references={"Sec r14": "section 4.14.1"}
    ),
    "r15": ReferenceNote("Table r15 @tbl:t01|.", references={"Table r15": "table 2.1"}),
    "r16": ReferenceNote("Lost r16 @fig:nope|.", references={"Lost r16": "figure ??"}),
    "r17": ReferenceNote("Lost r17 [[#^tab-nope]]|.", references={"Lost r17": "table ??"}),
    "r18": ReferenceNote(
        "![Curve r18](p.png){#fig:f09}\n\nTwice r18 @fig:f09|.",
        {"Curve r18": "Figure 4.2"},
        {"Twice r18": "figure 1.9"},
    ),
    "r19": ReferenceNote(
        "Worded r19 [see table @tbl:t03, left]|.", references={"Worded r19": "see table 2.3, left"}
    ),
    "r20": ReferenceNote("Note r20 [[f04]]|.", references={"Note r20": "Title f04"}),
    "r21": ReferenceNote(
        "Far r21 @fig:app| in [[a01#Inner]]|.", references={"Far r21": "figure A.1"}
    ),
    "r22": ReferenceNote(
        "Code r22 `@fig:f09` stays.\n\n![[f08#^fig-f08]]\n\n### Same *words* twice"
    ),
    "r23": ReferenceNote("Unknown r23 \\ref{nothing}|.", references={"Unknown r23": "??"}),
    "r25": ReferenceNote(
        "### Aside {-}\n\n### Counted\n\nOf r25 [[#Aside]]| and r25b [[#Counted]]|.",
        references={"Of r25": "Aside", "and r25b": "section 4.25.1"},
    ),
    "r26": ReferenceNote(
        "Again r26 @tbl:t02| and r26b @eq:e01|, not a@fig:f09.com.",
        references={"Again r26": "table 2.2", "and r26b": "equation (3.1)"},
    ),
    "r24": ReferenceNote(
        "Link r24 [as shown](f05.md#^fig5)|.", references={"Link r24": "as shown"}
    ),
}
"""Chapter 4."""

APPENDIX = {
    "a01": ReferenceNote(
        f"![Curve a01](p.png){{#fig:app}}\n\n: Scores a01\n\n{TABLE}\n\nLaw a01\n\n"
        "$$z = 1$$ {#eq:app}\n\n## Inner\n\nBack a01 @eq:app|, back2 a01 [[#Inner]]|.",
        {"Curve a01": "Figure A.1", "Scores a01": "Table A.1", "Law a01": "(A.1)"},
        {"Back a01": "equation (A.1)", "back2 a01": "section A.1.1"},
    ),
}
FOLDERS = {
    "01-Figures": FIGURES,
    "02-Tables": TABLES,
    "03-Formulas": FORMULAS,
    "04-References": REFERENCES,
    "Notes": APPENDIX,
}
NOTES = {name: note for notes in FOLDERS.values() for name, note in notes.items()}


def write_notes(vault) -> None:
    """Write all of them into a vault."""
    from PIL import Image  # noqa: PLC0415 - most tests draw nothing

    for folder, notes in FOLDERS.items():
        vault.joinpath(folder).mkdir(parents=True)
        for name, note in notes.items():
            below = "\n\n## A heading below\n" if name == "f03" else ""
            text = f"# Title {name}\n\n{note.text}{below}\n"
            vault.joinpath(folder, f"{name}.md").write_text(text, encoding="utf-8")
    picture = io.BytesIO()
    Image.new("RGB", (60, 30), "#7aa6d8").save(picture, "PNG")
    vault.joinpath("p.png").write_bytes(picture.getvalue())
