"""How much one template may do before it is stopped."""

from __future__ import annotations

import time
from typing import Any

STEPS = 100_000
"""Rounds of loops, calls, filters and sums."""
CHARACTERS = 1_000_000
"""Printed in all, also into variables."""
SECONDS = 5.0
LONGEST = 100_000
"""Characters of one text."""
MOST = 10_000
"""Items of one list or range."""
WIDEST = 4_096
"""Bits of one whole number."""


class OverBudgetError(Exception):
    """A template does more than any report needs."""


class Budget:
    """What a template has left."""

    def __init__(self) -> None:
        self.steps = STEPS
        self.characters = CHARACTERS
        self.stop = time.monotonic() + SECONDS

    def charge(self, characters: int = 0) -> None:
        """Take one step, and the CHARACTERS it prints.

        Raises:
            OverBudgetError: nothing is left.
        """
        self.steps -= 1
        self.characters -= characters
        if self.steps < 0:
            raise OverBudgetError(f"it takes more than {STEPS:,} steps: is a loop too long?")
        if self.characters < 0:
            raise OverBudgetError(f"it prints more than {CHARACTERS:,} characters")
        if time.monotonic() > self.stop:
            raise OverBudgetError(f"it takes longer than {SECONDS:g} seconds")


def bounded(value: Any) -> Any:
    """Return VALUE if its size is one that a report may need.

    Raises:
        OverBudgetError: it is larger.
    """
    if isinstance(value, str) and len(value) > LONGEST:
        raise OverBudgetError(f"a text is longer than {LONGEST:,} characters")
    if isinstance(value, list | tuple | dict | set) and len(value) > MOST:
        raise OverBudgetError(f"a list has more than {MOST:,} items")
    if isinstance(value, int) and value.bit_length() > WIDEST:
        raise OverBudgetError("a number is too large")
    return value


def short_range(*bounds: int) -> range:
    """Count as Python's range does, up to 10,000 numbers.

    Raises:
        OverBudgetError: there are more.
    """
    numbers = range(*bounds)
    if len(numbers) > MOST:
        raise OverBudgetError(f"range gives at most {MOST:,} numbers")
    return numbers


def check_operands(operator: str, left: Any, right: Any) -> None:
    """Make sure that LEFT OPERATOR RIGHT is quick and small, before it is computed.

    Raises:
        OverBudgetError: it is not, or texts are formatted with `%`.
    """
    bounded(left)
    bounded(right)
    if operator == "%" and isinstance(left, str):
        raise OverBudgetError("texts are not formatted with %: use number() or value()")
    if operator == "**" and not (abs(left) <= 1_000_000 and abs(right) <= 64):
        raise OverBudgetError("a power is too large")
    for one, times in ((left, right), (right, left)):
        repeated = isinstance(one, str | list | tuple) and isinstance(times, int)
        if operator == "*" and repeated and len(one) * times > MOST:
            raise OverBudgetError("a text or list is repeated too often")
