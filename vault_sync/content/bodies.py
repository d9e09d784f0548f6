"""The text of a block: from a packaged report, or from a template of the student's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.content.layout import settle
from vault_sync.engine.text.markers import normalise
from vault_sync.rendering.jinja import render
from vault_sync.reports import REPORTS
from vault_sync.user_templates.files import own_templates

if TYPE_CHECKING:
    from experiments.workspace.workspace import Workspace
    from vault_sync.rendering.page import Page


def templates(workspace: Workspace) -> tuple[str, ...]:
    """Return the names a marker may give as its template; the packaged ones win."""
    return (*REPORTS, *(name for name in own_templates(workspace) if name not in REPORTS))


def block_body(page: Page, template: str) -> bytes:
    """Return the text of a block as a note gets it: laid out so that formatters leave it alone.

    Raises:
        RefusedError: it can't be rendered, as of a changed record or a faulty own template.
    """
    return settle(render_body(page, template).decode()).encode()


def render_body(page: Page, template: str) -> bytes:
    """Return the text of a block; where it has no data yet, a sentence on what it waits for.

    Raises:
        RefusedError: it can't be rendered, as of a changed record or a faulty own template.
    """
    if template not in REPORTS:
        from vault_sync.user_templates.reports import render_own  # noqa: PLC0415 - Jinja takes its time

        return normalise(render_own(page, template).encode())
    values = REPORTS[template](page)
    if values is None:
        return normalise(page.words.say(f"nothing.{template}").encode())
    return normalise(render(page.words.language, template, values).encode())
