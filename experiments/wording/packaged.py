"""Texts that the program itself put into a record, in the language of whoever reads it.

A sealed record keeps the words it was made with: those of a packaged recipe, or a warning, in
English. They are found again by their English, with what they were filled with; a student's own
words are left as they are.
"""

from __future__ import annotations

import re
from functools import cache
from string import Formatter

from experiments.wording import catalogue
from experiments.wording.numbers import format_number

GROUP = "packaged"
RECORDED = "en"
"""Language that recipes and warnings are written in."""
COUNTED = ("count", "all", "there")
FIELDS = {
    **dict.fromkeys(COUNTED, r"[\d,]+"),
    **dict.fromkeys(("name", "stage", "format"), r"[\w.@-]+"),
    **dict.fromkeys(("split", "train", "val"), "[^']+"),
    **dict.fromkeys(("title", "tool", "file"), r"[\w .@+()-]+"),
    "size": r"\d+×\d+",
    "changes": r"[a-z_]+ [\w.-]+(?:, [a-z_]+ [\w.-]+)*",
}
"""What may stand in a text's braces; anything where it isn't said."""


def translate(text: str, language: str) -> str:
    """Return TEXT in LANGUAGE where it is a packaged one; any other text as it is."""
    bare = " ".join(text.split())
    for name, pattern in _patterns():
        if match := pattern.fullmatch(bare):
            values = {
                key: _filled(key, value, language) for key, value in match.groupdict().items()
            }
            return catalogue.fill(f"{GROUP}.{name}", language, values)
    return text


def _filled(key: str, value: str, language: str) -> str:
    if key == "why":
        parts = [translate(part, language) for part in value.split("; ")]
        return catalogue.phrase("semicolon", language).join(parts)
    if key not in COUNTED:
        return value
    return format_number(int(value.replace(",", "")), ",", language)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return name and pattern of each text, those with the most of their own words first."""
    names = catalogue.names(GROUP, RECORDED)
    texts = {name: catalogue.phrase(f"{GROUP}.{name}", RECORDED) for name in names}
    ordered = sorted(texts, key=lambda name: -len(re.sub(r"\{\w+\}", "", texts[name])))
    return tuple((name, re.compile(_pattern(texts[name]))) for name in ordered)


def _pattern(text: str) -> str:
    """Return the regular expression of a phrase: its words, and what may fill its braces."""
    return "".join(
        re.escape(words) + (f"(?P<{field}>{FIELDS.get(field, '.+')})" if field else "")
        for words, field, _, _ in Formatter().parse(text)
    )
