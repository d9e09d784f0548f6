"""Macros expanded on the TeX itself, so that every format gets formulas without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.export.maths.definitions import DEFINERS, Macro, read_definition
from vault_sync.export.maths.infix import resolve_infix
from vault_sync.export.maths.tokens import TexReader, is_blank, is_word, join, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Rule = Callable[[TexReader], str | None]
    """Reads its arguments and returns what stands for them; None leaves everything as it is."""

MOST_STEPS = 2000
"""Expansions in one formula; a macro that means itself would go on for ever."""
MOST_TOKENS = 20_000
"""Length of a formula; macros that double each other would fill the memory."""

_ONE = r"""
\sqrt \hat \bar \vec \tilde \dot \ddot \widehat \widetilde \overline \underline \mathbf \mathrm
\mathcal \mathbb \mathfrak \mathsf \mathtt \mathit \boldsymbol
"""
_TWO = r"\frac \dfrac \tfrac \binom \overset \underset \stackrel"
ARGUMENTS = dict.fromkeys(filter(is_word, split(_ONE)), 1) | dict.fromkeys(
    filter(is_word, split(_TWO)), 2
)
"""Commands that take the next token for an argument -> how many; a macro there is one argument."""


class EndlessMacroError(ValueError):
    """A macro means itself, or makes a formula too long for any page."""


class Expander:
    """Expands the macros of one note's formulas; what a formula defines holds for later ones."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self.rules: dict[str, Rule] = dict(rules)

    def define(self, macro: Macro) -> None:
        """Let a macro hold from now on."""
        same = self.rules.get(macro.body) if macro.final else None
        self.rules[macro.name] = macro if same is None else same

    def expand(self, text: str) -> str:
        """Return a formula without macros.

        Raises:
            EndlessMacroError: its macros never end.
        """
        tokens, place, steps = split(text), 0, 0
        while place < len(tokens):
            token = tokens[place]
            reader = TexReader(tokens, place + 1)
            new = self._replaced(token, reader)
            if new is None:
                self._brace(tokens, place)
                place += 1
                continue
            if _is_script(tokens, place) and len(new) != 1:
                new = ["{", *new, "}"]
            steps += 1
            tokens[place : reader.place] = new
            place += len(new) if self._is_final(token) else 0
            if steps > MOST_STEPS or len(tokens) > MOST_TOKENS:
                raise EndlessMacroError(f"the macro {token} never comes to an end")
        return join(resolve_infix(tokens))

    def _replaced(self, token: str, reader: TexReader) -> list[str] | None:
        """Return what stands for TOKEN and its arguments; None where it stays."""
        if token in DEFINERS:
            macro = read_definition(token, reader)
            if macro is None:
                return None
            self.define(macro)
            return []
        rule = self.rules.get(token)
        place = reader.place
        made = rule(reader) if rule else None
        if made is None:
            reader.place = place
            return None
        return None if made == token else split(made)

    def _is_final(self, token: str) -> bool:
        rule = self.rules.get(token)
        return isinstance(rule, Macro) and rule.final

    def _brace(self, tokens: list[str], place: int) -> None:
        """Put braces around the macros that the command at PLACE takes for its arguments."""
        reader = TexReader(tokens, place + 1)
        count = ARGUMENTS.get(tokens[place], 0)
        if tokens[place] == "\\sqrt":
            reader.bracketed()
        for _ in range(count):
            argument = reader.argument()
            if argument is None:
                return
            if is_word(argument) and argument in self.rules:
                tokens[reader.place - 1 : reader.place] = ["{", argument, "}"]
                reader.place += 2


def _is_script(tokens: list[str], place: int) -> bool:
    """Whether what stands at PLACE is an index or an exponent."""
    place -= 1
    while place >= 0 and is_blank(tokens[place]):
        place -= 1
    return place >= 0 and tokens[place] in ("^", "_")
