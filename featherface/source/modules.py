"""Modules as they are written: what each binds at its top, and what a dotted name stands for."""

from __future__ import annotations

import ast
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from featherface.source.packages import Packages


class Imported(NamedTuple):
    """What an import statement binds a name to."""

    module: str
    """Dotted and absolute."""
    name: str = ""
    """What is taken of the module, which may be a module itself; empty for the module."""


class Definition(NamedTuple):
    """A name at the top of a module."""

    module: str
    name: str
    """EFFECTS for the statements that bind nothing; WHOLE for all there is."""


class Resolved(NamedTuple):
    """What a dotted name stands for."""

    target: Definition | str
    """A string for what is not ours: its dotted name."""
    rest: tuple[str, ...] = ()
    """The attributes that are taken of the target."""


EFFECTS, WHOLE = "<effects>", "<whole>"
DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
ASSIGNS = (ast.Assign, ast.AnnAssign, ast.AugAssign)


@dataclass
class Module:
    """The top of one module."""

    name: str
    package: str
    """What relative imports start from."""
    definitions: dict[str, list[ast.stmt]] = field(default_factory=lambda: defaultdict(list))
    """Name -> the statements that bind it, imports left out."""
    imports: dict[str, list[Imported]] = field(default_factory=lambda: defaultdict(list))
    stars: list[str] = field(default_factory=list)
    """Modules of which everything is imported."""
    effects: list[ast.stmt] = field(default_factory=list)
    """Statements that bind nothing, such as calls: whatever is taken of the module ran them."""

    def binds(self, name: str) -> bool:
        """Whether NAME is bound here, without what stars import."""
        return name in self.definitions or name in self.imports

    def alias(self, name: str) -> Imported | None:
        """Return what NAME is imported from; None where it is defined here, or in several ways."""
        sources = set(self.imports.get(name, ()))
        return sources.pop() if len(sources) == 1 and name not in self.definitions else None


class Modules:
    """The modules of packages, each read when a name leads to it."""

    def __init__(self, packages: Packages) -> None:
        self.packages = packages
        self._read: dict[str, Module | None] = {}

    def get(self, name: str) -> Module | None:
        """Return the module of the dotted NAME; None where the packages have none.

        Raises:
            SyntaxError: it is no Python.
        """
        if name not in self._read:
            path = self.packages.path(name)
            module = None
            if path is not None:
                package = name if path.name == "__init__.py" else name.rpartition(".")[0]
                module = read_module(path.read_bytes(), name, package)
            self._read[name] = module
        return self._read[name]

    def resolve(self, imported: Imported, attributes: Sequence[str] = ()) -> Resolved:
        """Return what ATTRIBUTES of an import lead to, through re-exports to the definition."""
        parts = tuple(filter(None, (imported.name, *attributes)))
        return self._resolve(imported.module, parts, frozenset())

    def _resolve(
        self, name: str, parts: tuple[str, ...], passed: frozenset[Definition]
    ) -> Resolved:
        module = self.get(name)
        if module is None:
            return Resolved(".".join((name, *parts)))
        if not parts:
            return Resolved(Definition(name, WHOLE))
        here = Definition(name, parts[0])
        onward = None if here in passed else self._onward(module, parts)
        if onward is not None:
            return self._resolve(*onward, passed | {here})
        if module.binds(parts[0]):
            return Resolved(here, parts[1:])
        return Resolved(Definition(name, WHOLE), parts)

    def _onward(self, module: Module, parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """Return where else PARTS lead than into MODULE itself; None where they lead into it."""
        first, rest = parts[0], parts[1:]
        alias = module.alias(first)
        if alias is not None:
            return alias.module, tuple(filter(None, (alias.name, *rest)))
        if module.binds(first):
            return None
        if self.get(f"{module.name}.{first}") is not None:
            return f"{module.name}.{first}", rest
        star = next((star for star in module.stars if self.binds(star, first)), None)
        return None if star is None else (star, parts)

    def binds(self, name: str, sought: str) -> bool:
        """Whether the module of the dotted NAME has SOUGHT at its top."""
        module = self.get(name)
        if module is None:
            return False
        return module.binds(sought) or any(
            self.binds(star, sought) for star in module.stars if star != name
        )


_PARSING = threading.Lock()
"""Held while a source is parsed: CPython 3.11 counts the depth of all threads' trees together, and
stumbles over their sum (https://github.com/python/cpython/issues/106905)."""


def read_module(content: bytes, name: str, package: str) -> Module:
    """Return the top of the module that CONTENT is the source of.

    Raises:
        SyntaxError: it is no Python.
    """
    with _PARSING:
        tree = ast.parse(content)
    module = Module(name, package)
    _collect(module, tree.body)
    return module


def imports(node: ast.stmt, package: str) -> Iterator[tuple[str, Imported]]:
    """Yield each name that an import statement in PACKAGE binds, `*` for all there are."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield alias.asname or top, Imported(alias.name if alias.asname else top)
    elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
        start = package.split(".")[: len(package.split(".")) - node.level + 1]
        module = ".".join(filter(None, (*(start if node.level else ()), node.module)))
        for alias in node.names:
            yield alias.asname or alias.name, Imported(module, alias.name)


def for_types_only(node: ast.AST) -> bool:
    """Whether NODE is an `if TYPE_CHECKING:`, whose body never runs."""
    test = node.test if isinstance(node, ast.If) else None
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def is_idle(node: ast.AST) -> bool:
    """Whether NODE is a docstring, another bare string, or `pass`."""
    if isinstance(node, ast.Pass):
        return True
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _collect(module: Module, body: Iterable[ast.stmt]) -> None:
    for node in body:
        if for_types_only(node):
            _collect(module, getattr(node, "orelse", ()))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            _import(module, node)
        elif not is_idle(node):
            names = dict.fromkeys(bound_names([node]))
            for name in names:
                module.definitions[name].append(node)
            if not isinstance(node, DEFINES):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Import | ast.ImportFrom):
                        _import(module, inner)
            if not names or not isinstance(node, (*DEFINES, *ASSIGNS)):
                module.effects.append(node)


def _import(module: Module, node: ast.stmt) -> None:
    for name, imported in imports(node, module.package):
        if name == "*":
            module.stars.append(imported.module)
        else:
            module.imports[name].append(imported)


def bound_names(body: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that BODY binds in its own scope, imports left out."""
    for node in body:
        if isinstance(node, DEFINES):
            yield node.name
            yield from bound_names(node.decorator_list)  # by an assignment expression
            continue
        if isinstance(node, ast.Lambda | ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
        yield from bound_names(_without_targets(node))


def _without_targets(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children of NODE; a comprehension's targets are bound in a scope of its own."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.comprehension):
            yield child.iter
            yield from child.ifs
        else:
            yield child
