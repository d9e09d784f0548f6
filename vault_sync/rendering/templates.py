"""Render templates in a sandbox, where data can only ever be text.

Every value that a template prints is escaped unless it is `Safe`: it can't break a table, open
a comment, a link or a tag, start Templater or Dataview code, or forge a block marker. Values are
never rendered again.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2.sandbox import ImmutableSandboxedEnvironment


class Safe(str):
    """Markdown that this package built itself."""

    __slots__ = ()


_BREAKS = re.compile(r"[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]+")
_ENTITY = re.compile(r"&(?=#?[0-9A-Za-z]+;)")
_REPLACED = {
    "\\": "\\\\",
    "|": "\\|",
    "`": "\\`",
    "*": "\\*",
    "$": "\\$",
    "<": "&lt;",
    ">": "&gt;",
    "[": "&#91;",
    "]": "&#93;",
}
_LETTERS = re.compile("|".join(re.escape(one) for one in _REPLACED))
_TAG = re.compile(r"(?<!\S)#")
_UNDERSCORES = re.compile(r"(?<!\w)_+|_+(?!\w)")
"""Those at either end of a word, each of which may begin or end emphasis."""
_DOUBLED = re.compile(r"%(?=%)|=(?==)|~(?=~)|\{(?=[{%#])|\^(?=[A-Za-z0-9-]+\Z)")


def escape(text: str) -> Safe:
    """Make TEXT stand for itself on one line of Markdown, in and out of table cells."""
    text = _BREAKS.sub(" ", text)
    text = "".join(letter for letter in text if not _is_invisible(letter))
    text = _ENTITY.sub("&amp;", text)
    text = _LETTERS.sub(lambda match: _REPLACED[match[0]], text)
    text = _TAG.sub(r"\\#", text)
    text = _UNDERSCORES.sub(lambda match: "\\_" * len(match[0]), text)
    return Safe(_DOUBLED.sub(lambda match: f"&#{ord(match[0])};", text).strip())


def code(text: object) -> Safe:
    """Show TEXT as code where it can be shown so in a table too; else as plain text."""
    word = str(text)
    if word and re.fullmatch(r"[\w .,:;@+/*()!?^~'\"&#<>=%-]+", word) and not _UNSAFE.search(word):
        return Safe(f"`{word}`")
    return escape(word)


_UNSAFE = re.compile(r"--|%%|<[!%/A-Za-z]|\A[$=]|\A\s|\s\Z")


def render(language: str, template: str, values: Mapping[str, Any]) -> str:
    """Render templates/LANGUAGE/TEMPLATE.jinja; one blank line at most stands anywhere."""
    return tidy(_environment(language).get_template(f"{template}.jinja").render(values))


def render_html(language: str, template: str, values: Mapping[str, Any]) -> str:
    """Render templates/LANGUAGE/TEMPLATE.jinja as a page of HTML: whatever it prints is escaped."""
    return str(_environment(language, html=True).get_template(f"{template}.jinja").render(values))


def tidy(text: str) -> str:
    """Leave one blank line at most anywhere, and none at the ends."""
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


@cache
def _environment(language: str, *, html: bool = False) -> ImmutableSandboxedEnvironment:
    from jinja2 import PackageLoader, StrictUndefined  # noqa: PLC0415 - slow to import
    from jinja2.sandbox import ImmutableSandboxedEnvironment as Sandbox  # noqa: PLC0415 - as above

    environment = Sandbox(
        loader=PackageLoader("templates", language),
        undefined=StrictUndefined,
        # Markdown is escaped by `finalize`, HTML by Jinja itself.
        finalize=None if html else finalize,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = code
    return environment


def finalize(value: object) -> str:
    """Return VALUE as a template prints it: escaped, unless it is `Safe`.

    Raises:
        TypeError: there is no value.
    """
    if isinstance(value, Safe):
        return value
    if value is None:
        raise TypeError("a template printed None: say what is shown where a value is missing")
    return escape(str(value))


def _is_invisible(letter: str) -> bool:
    """Control characters, and those that turn the writing direction."""
    return (
        unicodedata.category(letter) == "Cc"
        or letter in "\u202a\u202b\u202c\u202d\u202e"
        or ("\u2066" <= letter <= "\u2069")
    )
