"""The Jinja environment of the student's own templates.

A template may come with a vault that somebody else made, so Jinja's immutable sandbox keeps it from
Python's insides and from changing what it is given. What goes beyond that has one reason each:

- names are looked up in one folder, and links are not followed: nothing else on the disk is read;
- `random` and `lipsum` are missing: a second sync has to write the same bytes;
- `~`, `join` and `sum` know links and numbers, which are written already and not escaped again.

Time and memory are not counted: who writes a loop without end sees it at once, and Ctrl-C ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from vault_sync.rendering.markdown import Safe
from vault_sync.user_templates.files import is_usable
from vault_sync.user_templates.filters import FILTERS, printed
from vault_sync.user_templates.views import TemplateView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from pathlib import Path

    from jinja2 import Environment, Template


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for one rendering."""

    def __init__(
        self, folder: Path, functions: Mapping[str, Callable[..., Any]], values: Mapping[str, Any]
    ) -> None:
        super().__init__(
            loader=TemplateFolder(folder),
            undefined=StrictUndefined,
            finalize=printed,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.filters = dict(FILTERS)
        del self.globals["lipsum"]
        self.globals |= {**values, **functions}

    def together(self, *parts: Any) -> str:
        """Join texts as `~` does; links and numbers among them stay what they are."""
        if any(isinstance(part, Safe | TemplateView) for part in parts):
            return Safe("".join(printed(part) for part in parts))
        return "".join(str(part) for part in parts)


class TemplateFolder(BaseLoader):
    """A Jinja loader of the templates in one folder; links and other paths are refused."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja names it so
    ) -> Template:
        """Read and compile a template."""
        path = find(self.folder, name)
        tree = environment.parse(path.read_text(encoding="utf-8-sig"), name, str(path))
        code = environment.compile(_ConcatToTogether().visit(tree), name, str(path))
        return environment.template_class.from_code(environment, code, globals or {})


def find(folder: Path, name: str) -> Path:
    """Return the file of the template called NAME, with or without `.jinja`.

    Raises:
        TemplateNotFound: there is none in FOLDER itself.
    """
    path = folder / f"{name.removesuffix('.jinja')}.jinja"
    if path.parent != folder or not is_usable(path):
        raise TemplateNotFound(name, f"there is no template {name!r} in {folder.name}/")
    return path


class _ConcatToTogether(NodeTransformer):
    """Makes `~` of a parsed template call `Sandbox.together`."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja dispatches by name
        """Join texts that may hold links and numbers."""
        self.generic_visit(node)
        join = nodes.EnvironmentAttribute("together", lineno=node.lineno)
        return nodes.Call(join, node.nodes, [], None, None, lineno=node.lineno)
