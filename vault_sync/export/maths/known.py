r"""What MathJax's packages know beyond LaTeX's own commands, in terms of those.

Sources: the documents of mathtools, braket, physics and siunitx, and MathJax 3's list of commands
(https://docs.mathjax.org/en/latest/input/tex/macros/index.html).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from vault_sync.export.maths import chemistry, physics, plain_tex, units
from vault_sync.export.maths.definitions import read_macros

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault_sync.export.maths.expansion import Rule

SIMPLE = r"""
\newcommand{\bra}[1]{\left\langle #1\right|}
\newcommand{\ket}[1]{\left|#1\right\rangle}
\newcommand{\Bra}[1]{\left\langle #1\right|}
\newcommand{\Ket}[1]{\left|#1\right\rangle}
\newcommand{\ketbra}[2]{\left|#1\right\rangle\left\langle #2\right|}
\newcommand{\dyad}[2]{\left|#1\right\rangle\left\langle #2\right|}
\newcommand{\ip}[2]{\left\langle #1\middle|#2\right\rangle}
\newcommand{\mel}[3]{\left\langle #1\middle|#2\middle|#3\right\rangle}
\newcommand{\ev}[1]{\left\langle #1\right\rangle}
\newcommand{\expval}[1]{\left\langle #1\right\rangle}
\newcommand{\comm}[2]{\left[#1,#2\right]}
\newcommand{\acomm}[2]{\left\{#1,#2\right\}}
\newcommand{\pqty}[1]{\left(#1\right)}
\newcommand{\bqty}[1]{\left[#1\right]}
\newcommand{\vqty}[1]{\left|#1\right|}
\newcommand{\Bqty}[1]{\left\{#1\right\}}
\newcommand{\order}[1]{\mathcal{O}\left(#1\right)}
\newcommand{\vb}[1]{\boldsymbol{#1}}
\newcommand{\va}[1]{\vec{\boldsymbol{#1}}}
\newcommand{\vu}[1]{\hat{\boldsymbol{#1}}}
\newcommand{\grad}{\nabla}
\newcommand{\curl}{\nabla\times}
\newcommand{\laplacian}{\nabla^{2}}
\newcommand{\vdot}{\cdot}
\newcommand{\cross}{\times}
\newcommand{\bm}[1]{\boldsymbol{#1}}
\newcommand{\bold}[1]{\mathbf{#1}}
\newcommand{\mathds}[1]{\mathbb{#1}}
\newcommand{\mathbbm}[1]{\mathbb{#1}}
\newcommand{\coloneqq}{:=}
\newcommand{\coloneq}{:=}
\newcommand{\eqqcolon}{=:}
\newcommand{\lt}{<}
\newcommand{\gt}{>}
\newcommand{\degree}{^{\circ}}
\newcommand{\nicefrac}[2]{{#1}/{#2}}
\newcommand{\sfrac}[2]{{#1}/{#2}}
\newcommand{\cfrac}[3][]{\dfrac{#2}{#3}}
\newcommand{\prescript}[3]{{}^{#1}_{#2}#3}
\newcommand{\notag}{\nonumber}
\newcommand{\llbracket}{[\![}
\newcommand{\rrbracket}{]\!]}
\newcommand{\smash}[2][]{#2}
\newcommand{\mathstrut}{}
\newcommand{\hfill}{\quad}
\newcommand{\require}[1]{}
\newcommand{\class}[2]{#2}
\newcommand{\cssId}[2]{#2}
\newcommand{\style}[2]{#2}
\newcommand{\href}[2]{#2}
\newcommand{\textcolor}[3][]{#3}
\newcommand{\colorbox}[2]{#2}
\newcommand{\fcolorbox}[3]{\boxed{#3}}
\newcommand{\bbox}[2][]{#2}
\newcommand{\enclose}[3][]{\boxed{#3}}
\newcommand{\intertext}[1]{\text{#1}\\}
\newcommand{\shortintertext}[1]{\text{#1}\\}
\newcommand{\R}{\mathbb{R}}
\newcommand{\N}{\mathbb{N}}
\newcommand{\Z}{\mathbb{Z}}
\newcommand{\Q}{\mathbb{Q}}
\newcommand{\E}{\mathbb{E}}
\DeclareMathOperator*{\argmax}{arg\,max}
\DeclareMathOperator*{\argmin}{arg\,min}
\DeclareMathOperator{\Var}{Var}
\DeclareMathOperator{\Cov}{Cov}
\DeclareMathOperator{\sgn}{sgn}
\DeclareMathOperator{\sign}{sign}
\DeclareMathOperator{\diag}{diag}
\DeclareMathOperator{\rank}{rank}
\DeclareMathOperator{\tr}{tr}
\DeclareMathOperator{\Tr}{Tr}
\DeclareMathOperator{\erf}{erf}
\DeclareMathOperator{\softmax}{softmax}
"""
"""Those that a macro can say; colours and links are dropped, as print needs neither."""


@cache
def known() -> Mapping[str, Rule]:
    """Return the rule of each command; a note's own macros go before them."""
    simple: dict[str, Rule] = {macro.name: macro for macro in read_macros(SIMPLE)}
    return simple | physics.RULES | plain_tex.RULES | chemistry.RULES | units.RULES
