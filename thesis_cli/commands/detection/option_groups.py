"""Options that belong together, handed to a command as one value."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Decorator = Callable[[Any], Any]


def option_group(name: str, kind: Any, *options: Decorator) -> Decorator:
    """Make a decorator that adds OPTIONS; the command gets them as NAME, a named tuple KIND."""

    def decorate(command: Any) -> Any:
        @functools.wraps(command)
        def gather(*arguments: Any, **given: Any) -> Any:
            values = kind(**{field: given.pop(field) for field in kind._fields})
            return command(*arguments, **{name: values}, **given)

        decorated: Any = gather
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
