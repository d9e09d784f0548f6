"""A definition as tokens that only change with what it does.

Left out are comments, formatting, docstrings and annotations; a name that leads to another
definition is that definition, wherever it stands and whatever it is imported as. Written from the
fields of the syntax tree by our own rules: `ast.dump` differs between versions of Python.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from featherface.source.modules import (
    DEFINES,
    EFFECTS,
    WHOLE,
    Definition,
    Imported,
    bound_names,
    for_types_only,
    imports,
    is_idle,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from featherface.source.modules import Module, Modules

Scope = dict[str, list[Imported]]
"""Local name -> what it is imported from, where it is."""
STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)
SILENT = frozenset({"ctx", "type_comment", "kind", "annotation", "returns"})
"""Fields of the syntax tree that decide nothing."""


def tokens(modules: Modules, definition: Definition) -> list[str | Definition]:
    """Return what DEFINITION is made of; another definition stands for a name that leads to it.

    Raises:
        LookupError: there is no such definition.
        SyntaxError: a module that it leads to is no Python.
    """
    module = modules.get(definition.module)
    if module is None:
        raise LookupError(f"no module {definition.module}")
    writer = _TokenWriter(modules, module, definition.name)
    if definition.name == WHOLE:
        return writer.all_names()
    if definition.name == EFFECTS:
        writer.statements(module.effects, ())
        return writer.written
    bound = module.definitions.get(definition.name, [])
    others = module.imports.get(definition.name, [])
    if not bound and not others:
        raise LookupError(f"no {definition.name} in {definition.module}")
    writer.statements(bound, ())
    writer.imported(others, ())
    if module.effects:
        writer.written.append(Definition(module.name, EFFECTS))
    return writer.written


class _TokenWriter:
    """Writes the nodes of one definition."""

    def __init__(self, modules: Modules, module: Module, own: str) -> None:
        self.modules = modules
        self.module = module
        self.own = own
        self.written: list[str | Definition] = []
        self.special: dict[type[ast.AST], Callable[..., None]] = {
            ast.Constant: self._constant,
            ast.Name: self._dotted,
            ast.Attribute: self._dotted,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.Lambda: self._lambda,
            ast.ClassDef: self._class,
            ast.AnnAssign: self._annotated,
            ast.JoinedStr: self._joined,
            **dict.fromkeys((ast.Import, ast.ImportFrom), self._import),
            **dict.fromkeys(
                (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), self._comprehension
            ),
        }

    def all_names(self) -> list[str | Definition]:
        """Write everything at the module's top."""
        names = dict.fromkeys([*self.module.definitions, *self.module.imports])
        for name in names:
            self.written += [name, Definition(self.module.name, name)]
        if self.module.effects:
            self.written.append(Definition(self.module.name, EFFECTS))
        for star in self.module.stars:
            self.imported([Imported(star)], ())
        return self.written

    def imported(self, targets: Iterable[Imported], attributes: Sequence[str]) -> None:
        """Write what ATTRIBUTES of an import lead to."""
        for target in targets:
            found = self.modules.resolve(target, attributes)
            self.written += [found.target, *(f".{name}" for name in found.rest)]

    def statements(self, body: Iterable[ast.stmt], scopes: tuple[Scope, ...]) -> None:
        """Write statements, without those that decide nothing."""
        for node in body:
            if for_types_only(node):
                self.statements(getattr(node, "orelse", ()), scopes)
            elif not is_idle(node):
                self.node(node, scopes)

    def node(self, node: ast.AST, scopes: tuple[Scope, ...]) -> None:
        """Write one node and all below it."""
        special = self.special.get(type(node))
        if special is not None:
            special(node, scopes)
            return
        self._fields(node, scopes)

    def _fields(self, node: ast.AST, scopes: tuple[Scope, ...]) -> None:
        self.written.append(f"({type(node).__name__}")
        for name, value in ast.iter_fields(node):
            # An absent field and an empty list are alike: versions of Python differ in them.
            if name not in SILENT and value is not None and value != []:
                self.written.append(f"{name}=")
                self._value(value, scopes)
        self.written.append(")")

    def _value(self, value: object, scopes: tuple[Scope, ...]) -> None:
        if isinstance(value, ast.AST):
            self.node(value, scopes)
        elif isinstance(value, list):
            if value and isinstance(value[0], ast.stmt):
                self.statements(value, scopes)
                return
            for item in value:
                self._value(item, scopes)
        else:
            self.written.append(ascii(value))

    def _constant(self, node: ast.Constant, scopes: tuple[Scope, ...]) -> None:
        del scopes
        self.written.append(f"{type(node.value).__name__} {node.value!a}")

    def _joined(self, node: ast.JoinedStr, scopes: tuple[Scope, ...]) -> None:
        """Write an f-string, its text in as few pieces as can be."""
        self.written.append("(JoinedStr")
        text = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += str(part.value)
                continue
            self.written.append(ascii(text))
            text = ""
            self.node(part, scopes)
        self.written += [ascii(text), ")"]

    def _dotted(self, node: ast.Name | ast.Attribute, scopes: tuple[Scope, ...]) -> None:
        """Write a name with its attributes: what it leads to, or how it is written."""
        attributes: list[str] = []
        start: ast.expr = node
        while isinstance(start, ast.Attribute):
            attributes.insert(0, start.attr)
            start = start.value
        if isinstance(start, ast.Name):
            self._name(start, attributes, scopes)
        else:
            self.node(start, scopes)
            self.written += [f".{name}" for name in attributes]

    def _name(self, node: ast.Name, attributes: Sequence[str], scopes: tuple[Scope, ...]) -> None:
        local = next((scope[node.id] for scope in reversed(scopes) if node.id in scope), None)
        if isinstance(node.ctx, ast.Store):
            self.written.append(f"name {self._bound(node.id, scopes)}")
        elif local:
            self.imported(local, attributes)
        elif local is None and self.modules.binds(self.module.name, node.id):
            self.imported([Imported(self.module.name, node.id)], attributes)
        else:
            self.written += [f"name {node.id}", *(f".{name}" for name in attributes)]

    def _bound(self, name: str, scopes: tuple[Scope, ...]) -> str:
        """Write a name where it gets its value: what it is called at the top decides nothing."""
        at_top = "<this>" if name == self.own else "<another>"
        return name if scopes else at_top

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, scopes: tuple[Scope, ...]
    ) -> None:
        self.written.append(f"({type(node).__name__} {self._bound(node.name, scopes)}")
        for decorator in node.decorator_list:
            self.node(decorator, scopes)
        self.node(node.args, scopes)  # defaults belong to the scope around
        inner = (*scopes, _scope(node.args, node.body, self.module.package))
        self.statements(node.body, inner)
        self.written.append(")")

    def _lambda(self, node: ast.Lambda, scopes: tuple[Scope, ...]) -> None:
        self.written.append("(Lambda")
        self.node(node.args, scopes)
        self.node(node.body, (*scopes, _scope(node.args, [node.body], self.module.package)))
        self.written.append(")")

    def _class(self, node: ast.ClassDef, scopes: tuple[Scope, ...]) -> None:
        """Write a whole class; its name shows in what it is printed as."""
        self.written.append(f"(ClassDef {node.name}")
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.node(part, scopes)
        # Names of a class body hide none from its methods, so they hide none here; what it
        # imports is known to all of it, which may take too much for a name and never too little.
        inner = (*scopes, _imported_in(node.body, self.module.package))
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign):
                self._field(statement, inner)
            else:
                self.statements([statement], inner)
        self.written.append(")")

    def _field(self, node: ast.AnnAssign, scopes: tuple[Scope, ...]) -> None:
        """Write a field of a class with its annotation as it is written: dataclasses read it."""
        self.written.append("(field")
        self.node(node.target, scopes)
        self.written.append(_words(node.annotation))
        if node.value is not None:
            self.node(node.value, scopes)
        self.written.append(")")

    def _annotated(self, node: ast.AnnAssign, scopes: tuple[Scope, ...]) -> None:
        """Write an annotated assignment as a plain one, and nothing for a bare annotation."""
        if node.value is not None:
            self._fields(ast.Assign(targets=[node.target], value=node.value), scopes)

    def _import(self, node: ast.Import | ast.ImportFrom, scopes: tuple[Scope, ...]) -> None:
        """Write which libraries are imported here; what is ours counts where it is used."""
        del scopes
        for _, imported in imports(node, self.module.package):
            if not self.modules.packages.own(imported.module):
                self.written.append(f"import {'.'.join(filter(None, imported))}")

    def _comprehension(self, node: ast.ListComp, scopes: tuple[Scope, ...]) -> None:
        first, *_ = node.generators
        self.written.append("(")
        self.node(first.iter, scopes)  # the one part that the scope around evaluates
        targets = (generator.target for generator in node.generators)
        local: Scope = {name: [] for name in bound_names(targets)}
        self._fields(node, (*scopes, local))
        self.written.append(")")


def _scope(arguments: ast.arguments, body: Sequence[ast.AST], package: str) -> Scope:
    """Return the names of a function's own scope."""
    known = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    known += filter(None, (arguments.vararg, arguments.kwarg))
    scope: Scope = {argument.arg: [] for argument in known}
    scope |= {name: [] for name in bound_names(body)}
    for node in _in_scope(body):
        if isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                scope.pop(name, None)
    return scope | _imported_in(body, package)


def _imported_in(body: Sequence[ast.AST], package: str) -> Scope:
    scope: Scope = defaultdict(list)
    for node in _in_scope(body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, imported in imports(node, package):
                scope[name].append(imported)
    return dict(scope)


def _in_scope(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield every statement of BODY that is not in a function or class of its own."""
    for node in body:
        if isinstance(node, STATEMENTS) and not for_types_only(node):
            yield node
            if not isinstance(node, DEFINES):
                yield from _in_scope(ast.iter_child_nodes(node))


def _words(annotation: ast.expr) -> str:
    """Return the names and values of an annotation, in their order."""
    nodes = ast.walk(annotation)
    words = (
        getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "value", None)
        for node in nodes
    )
    return " ".join(ascii(word) for word in words if isinstance(word, str | int | None))
