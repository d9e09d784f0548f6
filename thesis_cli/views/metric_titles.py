"""What the terminal calls a metric: in words, recall and precision with their score."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from experiments.metrics import kind
from experiments.wording.numbers import format_number
from thesis_cli.language import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiments.conditions import Conditions

DECIDED = re.compile(r"widerface\.(?:\w+\.)?(?:recall|precision)")
"""Names of metrics that count the detections from a score on."""


def title_of(name: str, taken: Iterable[Conditions] = ()) -> str:
    """Return the title of metric NAME, with the scores at which it was TAKEN.

    >>> from experiments.conditions import Conditions
    >>> title_of("widerface.recall", [Conditions(protocol="original")])
    'Recall at 0.5, mean of the three'
    """
    title = kind(name).title(TERMINAL)
    if DECIDED.fullmatch(name) is None:
        return title
    scores = dict.fromkeys(score for each in taken if (score := score_of(each)) is not None)
    if not scores:
        return title
    at = " / ".join(format_number(score, ".4g") for score in scores)
    first, comma, rest = title.partition(",")
    return f"{first} at {at}{comma}{rest}"


def score_of(conditions: Conditions) -> float | None:
    """Return the score from which detections counted; None where nothing is known of it.

    A record states it where it is not the usual one.
    """
    from featherface.evaluation.config import EvaluateConfig

    if not conditions.protocol:
        return None
    return float(dict(conditions.settings).get("decision", EvaluateConfig.decision))
