"""The filters of own templates: quick ones, whose result is small and the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import pass_environment
from jinja2.filters import FILTERS

from vault_sync.rendering import jinja, markdown
from vault_sync.rendering.markdown import Safe
from vault_sync.user_templates.budget import LONGEST, OverBudgetError
from vault_sync.user_templates.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jinja2.sandbox import SandboxedEnvironment as Sandbox

KEPT = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items"),
    *("last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse"),
    *("select", "selectattr", "sort", "title", "trim", "truncate", "unique", "upper"),
)
"""Those of Jinja's own."""


def filters() -> dict[str, Callable[..., Any]]:
    """Return name -> filter, of all that a template may use."""
    own = {"code": markdown.code, "join": _join, "round": _round, "sum": _sum}
    return {**{name: FILTERS[name] for name in KEPT}, **own}


@pass_environment
def _join(
    environment: Sandbox, items: Iterable[Any], between: str = "", attribute: str = ""
) -> str:
    """Join ITEMS to one text; links and numbers stay what they are."""
    parts = [shown(one) for one in _chosen(environment, items, attribute)]
    total = sum(map(len, parts)) + len(between) * len(parts)
    if total > LONGEST:
        raise OverBudgetError(f"a text is longer than {LONGEST:,} characters")
    words = between.strip(" ")
    lead, _, trail = between.partition(words) if words else (between, "", "")
    return Safe(f"{lead}{jinja.finalize(words)}{trail}".join(parts))


@pass_environment
def _sum(environment: Sandbox, items: Iterable[Any], attribute: str = "") -> float:
    return sum(float(one) for one in _chosen(environment, items, attribute))


def _chosen(environment: Sandbox, items: Iterable[Any], attribute: str) -> list[Any]:
    """Return ITEMS or, by the sandbox's rules, one attribute of each."""
    return [environment.getattr(one, attribute) if attribute else one for one in items]


def shown(value: Any) -> str:
    """Return VALUE as a template prints it."""
    return jinja.finalize(value.shown if isinstance(value, View) else value)


def _round(value: float, places: int = 0) -> float:
    return round(float(value), max(-20, min(int(places), 20)))
