"""Tidying an ONNX graph: nodes are called after their modules, and no place of this machine stays.

The exporter notes at every node where it was traced, with the paths of the sources: a third of a
small file, and nobody's business.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import Any

SCOPES = "pkg.torch.onnx.name_scopes"
OUTERMOST = "model."
"""Where the network stands in what is traced."""


def tidy(model: Any) -> None:
    """Name the nodes of the ONNX MODEL after their modules, and drop what the exporter noted."""
    seen: Counter[str] = Counter()
    graph = model.graph
    for node in graph.node:
        name = f"{_module(node)}/{node.op_type}".lstrip("/")
        seen[name] += 1
        node.name = name if seen[name] == 1 else f"{name}_{seen[name]}"
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*graph.initializer, *graph.input, *graph.output):
        del value.metadata_props[:]
    del graph.metadata_props[:]
    del model.metadata_props[:]
    graph.name, model.doc_string = "network", ""


def _module(node: Any) -> str:
    scopes = next((entry.value for entry in node.metadata_props if entry.key == SCOPES), "[]")
    modules = [scope for scope in ast.literal_eval(scopes)[:-1] if scope.startswith(OUTERMOST)]
    return str(modules[-1]).removeprefix(OUTERMOST) if modules else ""
