"""Signs that pandoc still calls by names which newer versions of typst have given up."""

from __future__ import annotations

import re

_SIGNS = {
    "sect": ":∩ sq:⊓ big:⋂ double:⋒ sq.big:⨅ dot:⩀ and:⩄ sq.double:⩎",
    "dot": "op:⋅ double:¨ c:· circle:⊙ square:⊡ circle.big:⨀",
    "times": (
        ":× circle:⊗ square:⊠ div:⋇ l:⋉ r:⋊ three.l:⋋ three.r:⋌ circle.big:⨂ big:⨉ o.l:⨴ "
        "o.r:⨵ o.hat:⨶ triangle:⨻"
    ),
    "minus": ":− plus:∓ dot:∸ tilde:≂ circle:⊖ square:⊟ triangle:⨺",
    "eq": (
        ":= dots:≑ dots.down:≒ dots.up:≓ colon:≕ est:≙ equi:≚ star:≛ delta:≜ def:≝ m:≞ "
        "quest:≟ not:≠ quad:≣ circle:⊜ lt:⋜ gt:⋝ prec:⋞ succ:⋟"
    ),
    "dash": ":‐ en:– em:— colon:∹ circle:⊝",
    "bracket": (
        "l:[ r:] t:⎴ b:⎵ l.double:⟦ r.double:⟧ l.tick.t:⦍ r.tick.b:⦎ l.tick.b:⦏ r.tick.t:⦐"
    ),
    "lt": (
        ":< eq:≤ equiv:≦ nequiv:≨ double:≪ not:≮ eq.not:≰ tilde:≲ tilde.not:≴ gt:≶ "
        "gt.not:≸ tri:⊲ tri.eq:⊴ dot:⋖ triple:⋘ eq.gt:⋚ ntilde:⋦ tri.not:⋪ tri.eq.not:⋬ "
        "circle:⧀ eq.slant:⩽ approx:⪅ neq:⪇ napprox:⪉ triple.nested:⫷"
    ),
    "gt": (
        ":> eq:≥ equiv:≧ nequiv:≩ double:≫ not:≯ eq.not:≱ tilde:≳ tilde.not:≵ lt:≷ "
        "lt.not:≹ tri:⊳ tri.eq:⊵ dot:⋗ triple:⋙ eq.lt:⋛ ntilde:⋧ tri.not:⋫ tri.eq.not:⋭ "
        "circle:⧁ eq.slant:⩾ approx:⪆ neq:⪈ napprox:⪊ triple.nested:⫸"
    ),
    "div": ":÷ slanted.o:⦼ circle:⨸",
    "plus": (
        ":+ minus:± dot:∔ square:⊞ circle:⊕ circle.big:⨁ circle.arrow:⟴ double:⧺ triple:⧻ "
        "o.l:⨭ o.r:⨮ triangle:⨹"
    ),
    "backslash": ":\\ circle:⦸ not:⧷",
    "perp": ":⟂ circle:⦹",
    "parallel": (
        ":∥ not:∦ eq:⋕ circle:⦷ slanted.eq:⧣ slanted.eq.tilde:⧤ slanted.equiv:⧥ equiv:⩨ "
        "struck:⫲ tilde:⫳"
    ),
    "franc": ":₣",
}
"""Name -> its modifiers and their letters, as pandoc 3.9 writes them; none is the plain name."""
_GIVEN_UP = re.compile(
    r"(?<![\w.])(?:(sect)(?![\w])|(franc)(?!\w)|([a-z]+)\.(?:circle|[lr]\.double)(?!\w))"
)


_FORMULA = re.compile(r"\$(?:\\[\s\S]|[^$\\])*\$")
_NORM = re.compile(r"∥([^∥]*)∥")


def with_old_names(source: str) -> str:
    """Return a typst SOURCE that knows the names which it uses and typst may have given up.

    Example: `sect`, the sign of an intersection, which typst 0.14 calls `inter`. Bars of a norm,
    which pandoc writes as a relation, become such that grow and have their index beside them.
    """
    source = _FORMULA.sub(
        lambda formula: _NORM.sub(r"lr(bar.v.double \1 bar.v.double)", formula[0]), source
    )
    used = {name for match in _GIVEN_UP.finditer(source) for name in match.groups() if name}
    lines = [_definition(name) for name in _SIGNS if name in used]
    return "".join(f"{line}\n" for line in lines) + source


def _definition(name: str) -> str:
    forms = (form.rpartition(":")[::2] for form in _SIGNS[name].split())
    written = (
        f'("{modifiers}", "{_escaped(sign)}")' if modifiers else f'"{_escaped(sign)}"'
        for modifiers, sign in forms
    )
    return f"#let {name} = symbol({', '.join(written)})"


def _escaped(sign: str) -> str:
    return sign.replace("\\", "\\\\")
