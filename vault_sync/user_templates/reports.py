"""Render user templates; their errors are reported with file and line."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING

from jinja2 import TemplateError, TemplateSyntaxError

from featherface.errors import RefusedError, ThesisError
from vault_sync.engine.text.markers import scan, write_block
from vault_sync.rendering.markdown import Safe, tidy
from vault_sync.rendering.page import evaluation
from vault_sync.user_templates.files import FOLDER, folder
from vault_sync.user_templates.functions import TemplateFunctions
from vault_sync.user_templates.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page

LARGEST = 200_000
"""Characters of a block: a loop too many must not fill a note that nobody can open."""
_LINK = re.compile(r"\[\[[^\[\]\n]*\]\]")


def render_own(page: Page, name: str) -> str:
    """Render own template NAME for the block of PAGE, and say whose numbers it shows.

    Raises:
        RefusedError: the template fails, prints too much, or would break the block; the message
            names its file and line.
    """
    files = folder(page.sources.workspace)
    functions = TemplateFunctions(page)
    try:
        sandbox = Sandbox(files, functions.table, functions.values)
        text = sandbox.get_template(name).render()
    except RecursionError as error:
        reason = "it calls or includes itself without end"
        raise _refusal(files, name, reason, error) from error
    except UnicodeDecodeError as error:
        raise _refusal(files, name, "it is not UTF-8 text", error) from error
    except Exception as error:  # whatever a template does wrong is its author's to know
        raise _refusal(files, name, _reason(error), error) from error
    text = tidy(_in_tables(text) + _drawn(page, functions))
    _check(files, name, text)
    return text


def _reason(error: Exception) -> str:
    """Word what went wrong in a template."""
    if isinstance(error, ThesisError):
        return error.message
    if isinstance(error, TemplateError):
        return str(error.message)
    return f"{type(error).__name__}: {str(error)[:200]}"


def _refusal(
    files: Path, name: str, reason: str, error: BaseException | None = None
) -> RefusedError:
    """Name the file and the line where a template failed with ERROR."""
    frames = traceback.extract_tb(error.__traceback__, limit=-400) if error else []
    places = [
        (place.filename, place.lineno) for place in frames if place.filename.startswith(str(files))
    ]
    if isinstance(error, TemplateSyntaxError):
        places.append((error.filename or "", error.lineno))
    file, line = places[-1] if places else (f"{name}.jinja", 0)
    file = re.split(r"[/\\]", file)[-1] or f"{name}.jinja"
    at = f":{line}" if line else ""
    return RefusedError(f"{FOLDER}/{file}{at}: {reason}", f"thesis report show {name}")


def _in_tables(text: str) -> str:
    """Escape the bar of links that stand in a row of a table."""

    def escaped(match: re.Match[str]) -> str:
        return re.sub(r"(?<!\\)\|", r"\\|", match[0])

    lines = text.split("\n")
    rows = [_LINK.sub(escaped, line) if line.lstrip().startswith("|") else line for line in lines]
    return "\n".join(rows)


def _drawn(page: Page, functions: TemplateFunctions) -> str:
    """Say what data the numbers of a block speak of: no template can leave that out."""
    words = page.words
    phrases = [
        words.say("own.run", run=page.run_in_prose(run), data=_data(page, run))
        for run in functions.drawn
    ]
    phrases += [words.say(f"own.{evidence}") for evidence in functions.quoted]
    return (
        f"\n\n{words.say('own.drawn', list=Safe(words.semicolon.join(phrases)))}" if phrases else ""
    )


def _data(page: Page, run: Run) -> Safe:
    measured = evaluation(run)
    return page.words.say("own.network") if measured is None else page.words.short(measured)


def _check(files: Path, name: str, text: str) -> None:
    """Refuse a text that would not stay in its block."""
    if len(text) > LARGEST:
        raise _refusal(files, name, f"it gives more than {LARGEST:,} characters")
    parsed = scan(write_block("own", name, text.encode(), {}) + b"\n")
    if parsed.faults or len(parsed.blocks) != 1 or len(scan(text.encode()).blocks):
        reason = "it prints block markers or leaves a code fence open"
        raise _refusal(files, name, reason)
    outside = re.sub(r"(?ms)^ {0,3}(```+|~~~+).*?^ {0,3}\1[`~]*\s*$|`[^`\n]*`", "", text)
    if re.sub(r"(?s)<!--.*?-->", "", outside).count("<!--"):
        raise _refusal(files, name, "it leaves an HTML comment open")
    if outside.count("%%") % 2:
        raise _refusal(files, name, "it leaves an Obsidian comment (%%) open")
