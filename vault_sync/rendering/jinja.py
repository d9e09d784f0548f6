"""The report templates, rendered in a sandbox where data can only ever be text.

Every value that a template prints is escaped unless it is `Safe`, and never rendered again.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from vault_sync.rendering.markdown import Safe, code, escape, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2.sandbox import ImmutableSandboxedEnvironment


def render(language: str, template: str, values: Mapping[str, Any]) -> str:
    """Render templates/LANGUAGE/TEMPLATE.jinja; one blank line at most stands anywhere."""
    return tidy(_environment(language).get_template(f"{template}.jinja").render(values))


def render_html(language: str, template: str, values: Mapping[str, Any]) -> str:
    """Render templates/LANGUAGE/TEMPLATE.jinja as a page of HTML: whatever it prints is escaped."""
    return str(_environment(language, html=True).get_template(f"{template}.jinja").render(values))


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
