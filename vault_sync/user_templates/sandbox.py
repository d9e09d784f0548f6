"""The Jinja environment for templates that nobody has reviewed.

Jinja's own sandbox keeps a template from Python's insides. This one also allows only the calls,
attributes and filters that a report needs, loads templates from one folder only, and counts: each
round of a loop, each call and each sum takes from a budget, so that every template ends.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, LoopContext, Macro, TemplateReference, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from vault_sync.rendering.markdown import Safe
from vault_sync.user_templates.budget import (
    Budget,
    OverBudgetError,
    bounded,
    check_operands,
    short_range,
)
from vault_sync.user_templates.files import is_usable
from vault_sync.user_templates.filters import filters, shown
from vault_sync.user_templates.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from pathlib import Path

    from jinja2 import Environment, Template
    from jinja2.runtime import Context

LARGEST = 64_000
"""Characters of a template."""
TEXT_METHODS = frozenset(
    {"capitalize", "endswith", "lower", "startswith", "strip", "title", "upper"}
)
TABLE_METHODS = frozenset({"get", "items", "keys", "values"})
OPEN = (View, LoopContext, Namespace, TemplateReference, Undefined)
"""Kinds of objects whose public attributes a template may read."""


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for one rendering, with its budget."""

    intercepted_binops: ClassVar[frozenset[str]] = frozenset(  # type: ignore[misc]
        {"+", "-", "*", "/", "//", "%", "**"}
    )

    def __init__(
        self, folder: Path, functions: Mapping[str, Callable[..., Any]], values: Mapping[str, Any]
    ) -> None:
        super().__init__(
            loader=Folder(folder),
            undefined=StrictUndefined,
            finalize=self._finalize,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.budget = Budget()
        self.filters = {name: self._counted(one) for name, one in filters().items()}
        called = {"namespace": Namespace, "range": short_range, **functions}
        self.globals = {**values, **called}
        self.callable = {id(one) for one in called.values()}

    def charge(self, characters: int = 0) -> None:
        """Take a step; the compiled template calls this in each round of a loop."""
        self.budget.charge(characters)

    def together(self, *parts: Any) -> str:
        """Join texts as `~` does; links and numbers among them stay what they are."""
        if any(isinstance(part, Safe | View) for part in parts):
            return Safe(bounded("".join(shown(part) for part in parts)))
        return str(bounded("".join(str(bounded(part)) for part in parts)))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may read an attribute."""
        if isinstance(obj, str):
            return attr in TEXT_METHODS
        if isinstance(obj, dict):
            return attr in TABLE_METHODS
        known = isinstance(obj, OPEN) or type(obj).__name__ == "TemplateModule"
        return known and super().is_safe_attribute(obj, attr, value)

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether a template may call an object."""
        if isinstance(obj, Macro | LoopContext | BlockReference | Undefined):
            return True
        if id(obj) in self.callable or obj in (self.charge, self.together):
            return True
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, str):
            return name in TEXT_METHODS
        if isinstance(owner, dict):
            return name in TABLE_METHODS
        return isinstance(owner, LoopContext) and name in ("cycle", "changed")

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call an object for a template."""
        self.charge()
        for one in (*args, *kwargs.values()):
            bounded(one)
        return bounded(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute a sum or the like for a template."""
        self.charge()
        check_operands(operator, left, right)
        return bounded(super().call_binop(context, operator, left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Refuse `str.format`: its widths can be of any length."""
        if getattr(value, "__name__", "") in ("format", "format_map"):
            raise SecurityError("texts are not formatted here: use number() or value()")
        return None

    def _finalize(self, value: Any) -> str:
        text = shown(value)
        self.budget.charge(len(text))
        return text

    def _counted(self, chosen: Callable[..., Any]) -> Callable[..., Any]:
        """Make a filter take a step and keep its operands and result small."""

        @functools.wraps(chosen)
        def filter_(*args: Any, **kwargs: Any) -> Any:
            self.charge()
            for one in (*args, *kwargs.values()):
                bounded(one)
            return bounded(chosen(*args, **kwargs))

        return filter_


class Folder(BaseLoader):
    """Loads templates from one folder; nothing outside of it, and no link."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja names it so
    ) -> Template:
        """Read, guard and compile a template."""
        path = find(self.folder, name)
        tree = environment.parse(read(path), name, str(path))
        tree = _Guard().visit(tree)
        code = environment.compile(tree, name, str(path))
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


def read(path: Path) -> str:
    """Read a template.

    Raises:
        OverBudgetError: it is too large.
        UnicodeDecodeError: it is not UTF-8.
    """
    if path.stat().st_size > 4 * LARGEST:
        raise OverBudgetError(f"a template holds at most {LARGEST:,} characters")
    text = path.read_text(encoding="utf-8-sig")
    if len(text) > LARGEST:
        raise OverBudgetError(f"a template holds at most {LARGEST:,} characters")
    return text


class _Guard(NodeTransformer):
    """Makes a parsed template count what it does."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja dispatches by name
        """Charge each round for the text it prints."""
        return self._charged(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802 - as above
        """Charge each call likewise."""
        return self._charged(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:  # noqa: N802 - as above
        """Charge each call likewise."""
        return self._charged(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - as above
        """Join texts within bounds."""
        self.generic_visit(node)
        return _call("together", node.nodes, node.lineno)

    def _charged(self, node: Any) -> nodes.Node:
        data = [text for part in node.body for text in part.find_all(nodes.TemplateData)]
        weight = nodes.Const(sum(len(text.data) for text in data), lineno=node.lineno)
        self.generic_visit(node)
        charge = nodes.ExprStmt(_call("charge", [weight], node.lineno), lineno=node.lineno)
        node.body = [charge, *node.body]
        return node  # type: ignore[no-any-return]


def _call(method: str, arguments: list[Any], line: int) -> nodes.Call:
    attribute = nodes.EnvironmentAttribute(method, lineno=line)
    return nodes.Call(attribute, arguments, [], None, None, lineno=line)
