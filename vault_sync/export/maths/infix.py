r"""Plain TeX's commands that stand between what they join: `a \over b`, `n \choose k`."""

from __future__ import annotations

_JOINED = {
    "\\over": ("\\frac{", "}{", "}"),
    "\\choose": ("\\binom{", "}{", "}"),
    "\\atop": ("\\substack{", "\\\\", "}"),
}
_EDGES = frozenset(("&", "\\\\", "\\cr"))


def resolve_infix(tokens: list[str]) -> list[str]:
    """Return TOKENS with such commands before what they join, as LaTeX writes them."""
    place = 0
    while place < len(tokens):
        if tokens[place] not in _JOINED:
            place += 1
            continue
        start, stop = _start(tokens, place), _stop(tokens, place)
        before, between, after = _JOINED[tokens[place]]
        left, right = tokens[start:place], tokens[place + 1 : stop]
        tokens = [*tokens[:start], before, *left, between, *right, after, *tokens[stop:]]
        place = start
    return tokens


def _start(tokens: list[str], place: int) -> int:
    depth = 0
    while place > 0:
        part = tokens[place - 1]
        if depth == 0 and (part == "{" or part in _EDGES):
            return place
        depth += (part == "}") - (part == "{")
        place -= 1
    return 0


def _stop(tokens: list[str], place: int) -> int:
    depth = 0
    for later in range(place + 1, len(tokens)):
        part = tokens[later]
        if depth == 0 and (part == "}" or part in _EDGES):
            return later
        depth += (part == "{") - (part == "}")
    return len(tokens)
