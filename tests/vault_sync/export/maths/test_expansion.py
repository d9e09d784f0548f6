"""Macros become what they mean, and what is no macro stays as it is, letter by letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault_sync.export.maths.definitions import read_macros
from vault_sync.export.maths.expansion import EndlessMacroError, Expander
from vault_sync.export.maths.known import known
from vault_sync.export.maths.tokens import join, split


def expand(text, preamble=""):
    expander = Expander(known())
    for macro in read_macros(preamble):
        expander.define(macro)
    return expander.expand(text)


KNOWN = [
    (r"\bra{a}\ket{\frac12}", r"\left\langle a\right|\left|\frac12\right\rangle"),
    (r"\braket{a|b}", r"\left\langle a\middle|b\right\rangle"),
    (r"\braket{a}{b}", r"\left\langle a\middle|b\right\rangle"),
    (r"\abs*{x}", r"\left| x\right|"),
    (r"\norm[\big]{x}_2", r"\left\| x\right\|_2"),
    (r"\argmax_x", r"\operatorname*{arg\,max}_x"),
    (r"\qty(\frac{1}{(2)})", r"\left(\frac{1}{(2)}\right)"),
    (r"\qty[x]+\qty{y}", r"\left[x\right]+\left\{y\right\}"),
    (r"\qty{3}{m}", r"3\,\mathrm{m}"),
    (r"\dv{f}{x}", r"\frac{\mathrm{d} f}{\mathrm{d} x}"),
    (r"\dv[2]{f}{x}", r"\frac{\mathrm{d}^{2} f}{\mathrm{d} x^{2}}"),
    (r"\dv{x} f", r"\frac{\mathrm{d}}{\mathrm{d} x} f"),
    (r"\pdv{f}{x}{y}", r"\frac{\partial^{2} f}{\partial x\,\partial y}"),
    (r"\eval{x}_0^1", r"\left.x\right|_0^1"),
    (r"\bm{x}\bold y", r"\boldsymbol{x}\mathbf{y}"),
    (r"\set{x | |x|>0}", r"\left\{x \,\middle|\, \,\middle|\,x\,\middle|\,>0\right\}"),
    (r"\begin{align*}a&=b\end{align*}", r"\begin{aligned}a&=b\end{aligned}"),
    (r"\begin{cases}a\\b\end{cases}", r"\begin{cases}a\\b\end{cases}"),
    (r"{a \over b}", r"{\frac{a }{ b}}"),
    (r"n \choose k", r"\binom{n }{ k}"),
    (r"{\bf x}y", r"{\mathbf{x}}y"),
    (r"\cases{a&b\cr c&d\cr}", r"\begin{cases}a&b\\ c&d\end{cases}"),
    (r"\root 3 \of x", r"\sqrt[3]{x}"),
    (r"\unicode{x3b1}", "α"),
    (r"\textcolor{red}{x}", "x"),
    (r"\x^\argmin", r"\x^{\operatorname*{arg\,min}}"),
    (r"\frac\R2", r"\frac{\mathbb{R}}2"),
    (r"\sqrt[3]\R", r"\sqrt[3]{\mathbb{R}}"),
]


@pytest.mark.parametrize(("text", "made"), KNOWN)
def test_what_mathjax_knows_becomes_latex(text, made):
    assert expand(text) == made


CHEMISTRY = [
    ("H2O", r"{\mathrm{H}_{2}\mathrm{O}}"),
    ("SO4^2-", r"{\mathrm{SO}_{4}^{2-}}"),
    ("Na+", r"{\mathrm{Na}^{+}}"),
    ("2H2 + O2 -> 2H2O", None),
    ("CO2 + C ->[\\Delta] 2CO", None),
    ("CuSO4*5H2O", r"{\mathrm{CuSO}_{4}\cdot 5\mathrm{H}_{2}\mathrm{O}}"),
    ("^{227}_{90}Th", r"{^{227}_{90}\mathrm{Th}}"),
    ("NaOH(aq)", r"{\mathrm{NaOH}\,\mathrm{(aq)}}"),
    ("C#C", None),
    ("1/2H2O", r"{\tfrac{1}{2}\,\mathrm{H}_{2}\mathrm{O}}"),
]


@pytest.mark.parametrize(("text", "made"), CHEMISTRY)
def test_chemistry(text, made):
    written = expand(f"\\ce{{{text}}}")
    assert made in (None, written)
    assert "->" not in written
    assert written.count("{") == written.count("}")


QUANTITIES = [
    (r"\SI{3.2e-3}{\kilo\metre\per\square\second}", r"3.2 \times 10^{-3}\,\mathrm{km\,s^{-2}}"),
    (r"\SI{5}{\percent}", r"5\,\mathrm{\%}"),
    (r"\num{12345}", r"12\,345"),
    (r"\num{1,5}", "1{,}5"),
    (r"\num{e4}", "10^{4}"),
    (r"\num{1.2(3)}", "1.2(3)"),
    (r"\unit{\m\squared}", r"\mathrm{m^{2}}"),
    (r"\unit{\metre\per\second\squared}", r"\mathrm{m\,s^{-2}}"),
    (r"\si{m.s^{-2}}", r"\mathrm{m\,s^{-2}}"),
    (r"\ang{30;5}", r"30^{\circ}5'"),
    (r"\SIrange{1}{2}{ms}", r"1\text{–}2\,\mathrm{ms}"),
]


@pytest.mark.parametrize(("text", "made"), QUANTITIES)
def test_numbers_and_units(text, made):
    assert expand(text) == made


OWN = [
    (r"\newcommand{\loss}{\mathcal{L}}", r"\loss x", r"\mathcal{L} x"),
    (r"\newcommand\loss{\ell}", r"\loss_1", r"\ell_1"),
    (r"\newcommand{\f}[2]{#2/#1}", r"\f{a}b", "b/a"),
    (r"\newcommand{\f}[2][o]{#1#2}", r"\f{a}\f[p]b", "oapb"),
    (r"\renewcommand{\phi}{\varphi}", r"\phi", r"\varphi"),
    (r"\let\old\phi \renewcommand{\phi}{\old'}", r"\phi", r"\phi'"),
    (r"\def\v#1{\mathbf{#1}}", r"\v x\v{yz}", r"\mathbf{x}\mathbf{yz}"),
    (r"\DeclareMathOperator*{\best}{best}", r"\best_x", r"\operatorname*{best}_x"),
    (r"\DeclarePairedDelimiter{\ab}{\lvert}{\rvert}", r"\ab{x}", r"\left\lvert x\right\rvert"),
    (r"\NewDocumentCommand{\g}{O{n} m}{#2_#1}", r"\g{x}\g[k]{y}", "x_ny_k"),
    (r"\newcommand{\a}{\b}\newcommand{\b}{c}", r"\a", "c"),
    (r"\newcommand{\E}{E}", r"\E", "E"),
    ("% \\newcommand{\\x}{y}\n\\usepackage{amsmath}\\newcommand{\\z}{w}", r"\z\x", r"w\x"),
]


@pytest.mark.parametrize(("preamble", "text", "made"), OWN)
def test_macros_of_ones_own(preamble, text, made):
    assert expand(text, preamble) == made


def test_what_a_formula_defines_holds_for_later_ones():
    expander = Expander(known())
    assert not expander.expand(r"\newcommand{\loss}{L}").strip()
    assert expander.expand(r"\loss") == "L"


@pytest.mark.parametrize(
    "preamble", [r"\def\x{\y}\def\y{\x}", r"\def\x{x\x}", r"\def\x{\x\x}", r"\def\x{{\x}}"]
)
def test_macros_without_end_are_told(preamble):
    with pytest.raises(EndlessMacroError, match="never comes to an end"):
        expand(r"\x", preamble)


PIECES = [*"{}[]()^_&#%|$ab1 \n", "\\", "\\\\", "\\frac", "\\left(", "\\alpha", "\\{"]
OURS = [
    "\\newcommand",
    "\\def",
    "\\let",
    "\\x",
    "\\qty",
    "\\ce",
    "\\braket",
    "\\dv",
    "\\SI",
    "\\over",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_tokens_are_the_text(text):
    assert join(split(text)) == text


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_what_holds_no_macro_stays(text):
    assert Expander({}).expand(text) == text


@given(st.lists(st.sampled_from(PIECES + OURS)).map("".join))
def test_any_text_comes_to_an_end(text):
    try:
        made = expand(text)
    except EndlessMacroError:
        return
    assert len(made) < 200_000


@given(st.lists(st.sampled_from([*"ab1+-=", "\\alpha ", "\\frac{a}{b}", "x^{2}"])).map("".join))
def test_a_macro_means_its_body(body):
    assert expand(r"\x{}", f"\\newcommand{{\\x}}{{{body}}}") == f"{body}{{}}"
