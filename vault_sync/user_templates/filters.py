"""The filters of user templates: Jinja's deterministic ones, and some of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import filters as jinja_filters
from jinja2 import pass_environment

from vault_sync.rendering import jinja, markdown
from vault_sync.rendering.markdown import Safe
from vault_sync.user_templates.views import TemplateView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jinja2.sandbox import SandboxedEnvironment as Sandbox


@pass_environment
def _join(
    environment: Sandbox, items: Iterable[Any], between: str = "", attribute: str = ""
) -> str:
    """Join ITEMS to one text; links and numbers stay what they are."""
    parts = [printed(item) for item in _chosen(environment, items, attribute)]
    words = between.strip(" ")
    lead, _, trail = between.partition(words) if words else (between, "", "")
    return Safe(f"{lead}{jinja.finalize(words)}{trail}".join(parts))


@pass_environment
def _sum(environment: Sandbox, items: Iterable[Any], attribute: str = "") -> float:
    return sum(float(item) for item in _chosen(environment, items, attribute))


def _chosen(environment: Sandbox, items: Iterable[Any], attribute: str) -> list[Any]:
    """Return ITEMS or, by the sandbox's rules, one attribute of each."""
    return [environment.getattr(item, attribute) if attribute else item for item in items]


def printed(value: Any) -> str:
    """Return VALUE as a template prints it."""
    return jinja.finalize(value.shown if isinstance(value, TemplateView) else value)


def _round(value: float, places: int = 0) -> float:
    return round(float(value), max(-20, min(int(places), 20)))


FILTERS: dict[str, Callable[..., Any]] = {
    **{name: filter_ for name, filter_ in jinja_filters.FILTERS.items() if name != "random"},
    "code": markdown.code,
    "join": _join,
    "round": _round,
    "sum": _sum,
}
"""Name -> filter, of all that a template may use."""
