"""Formulas of a vault in a document: macros from where they are defined, faults with their line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from featherface.errors import NotFoundError
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export
from vault_sync.export.maths.checking import find_unreadable
from vault_sync.export.maths.preamble import SETTING, read_preamble
from vault_sync.export.reading.link_index import LinkIndex

FIRST = r"""# First

$$
\newcommand{\loss}{\mathcal{L}}
$$

Before $\loss$ and $\vect{v}$ and $\settled$ end.

$$
\begin{align}
a &= \argmax_{x\in\R} \abs{x} \\
b &= \undefd{x}
\end{align}
$$

Words around it stay.
"""
SECOND = "# Second\n\nAlso $\\loss \\tag{1}$ here, $\\def\\loss{M}\\loss$.\n"


@pytest.fixture
def vault(workspace):
    for name, text in {"a.md": FIRST, "b.md": SECOND}.items():
        (workspace.vault / name).write_text(text, encoding="utf-8")
    (workspace.vault / "preamble.sty").write_text(
        "\\newcommand{\\vect}[1]{\\mathbf{#1}}\n", "utf-8"
    )
    return workspace


def test_macros_hold_and_faults_are_told(vault):
    done = export(vault, (), ExportOptions(to="latex"))
    text = done.output.read_text(encoding="utf-8")
    assert r"Before \(\mathcal{L}\) and \(\mathbf{v}\) and" in text
    assert r"Also \(\mathcal{L} \) here, \(M\)." in text
    assert "newcommand{\\loss}" not in text
    first, second = done.warnings
    assert first.startswith(r"a.md:7: the formula has an unknown \settled and is shown")
    assert second.startswith(r"a.md:9: the formula has an unknown \undefd")
    assert "Words around" in text
    assert r"\NormalTok{\textbackslash{}begin\{align\}}" in text  # as code, word by word


@pytest.mark.parametrize(
    "formula", [r"x_1", r"\frac12", r"\mathbb{1}", r"A \cap B \odot C \otimes D"]
)
def test_formulas_that_are_read(formula):
    assert find_unreadable([formula]) == {}


def test_a_formula_that_cannot_be_read_says_why():
    told = find_unreadable([r"\nope", "{x", "a", "\n\\begin{aligned}\nb&\\nope\n\\end{aligned}\n"])
    assert list(told.values()) == [
        "has an unknown \\nope",
        "ends too early",
        "has an unknown \\nope",
    ]


def test_thesis_toml_names_files_of_workspace_or_vault(vault):
    assert "\\vect" in read_preamble(*with_macros(vault, ()))
    (vault.vault / "Formulas").mkdir()
    (vault.vault / "Formulas" / "own.tex").write_text("\\def\\z{1}", "utf-8")
    (vault.root / "more.tex").write_text("\\def\\z{2}", "utf-8")
    made = read_preamble(*with_macros(vault, ("own.tex", "more.tex")))
    assert made.index("\\vect") < made.index("\\def\\z{1}") < made.index("\\def\\z{2}")
    with pytest.raises(NotFoundError, match=r"export.macros names 'gone.tex'"):
        read_preamble(*with_macros(vault, "gone.tex"))


def with_macros(workspace, value):
    settings = replace(workspace.settings, values={**workspace.settings.values, SETTING: value})
    return replace(workspace, settings=settings), LinkIndex.read(workspace.vault)
