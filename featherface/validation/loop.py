"""Running the checks over variants, one outcome at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from featherface.progress import Progress, silent
from featherface.validation.case import FailedError, VariantCase
from featherface.validation.checks import ALL
from featherface.validation.names import CHECKS, QUICK, CheckOutcome
from featherface.variants.table import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from featherface.progress import OnProgress


def validate(
    names: Sequence[str],
    checks: Sequence[str] = (),
    *,
    quick: bool = False,
    on_progress: OnProgress = silent,
) -> Iterator[CheckOutcome]:
    """Yield the outcome of each of CHECKS (none: all, or the quick ones) for each variant."""
    wanted = list(checks) or list(QUICK if quick else CHECKS)
    total = len(names) * len(wanted)
    for place, name in enumerate(names):
        case = VariantCase(name, VARIANTS[name].config, quick)
        for number, check in enumerate(wanted):
            yield examine(case, check)
            on_progress(Progress("validate", place * len(wanted) + number + 1, total, "checks"))


def examine(case: VariantCase, check: str) -> CheckOutcome:
    """Do one check; whatever it raises is its failure."""
    start = time.perf_counter()
    try:
        status, detail = "pass", ALL[check](case)
    except FailedError as failure:
        status, detail = "fail", str(failure)
    except Exception as error:  # noqa: BLE001 - a network that can't be computed has failed
        first = (str(error) or "no message").splitlines()[0]
        status, detail = "fail", f"{type(error).__name__}: {first}"
    return CheckOutcome(
        variant=case.name,
        check=check,
        status=status,
        detail=detail,
        seconds=time.perf_counter() - start,
    )
