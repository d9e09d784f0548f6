"""Who may come in: how many requests with pictures there are, and how many bytes they hold."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from featherface.serving import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featherface.serving.limits import ServingLimits


class Admission:
    """Counts the requests and bytes that are in memory; asked from one event loop alone."""

    def __init__(self, limits: ServingLimits) -> None:
        self.limits = limits
        self.requests = 0
        self.held = 0
        """Bytes of all bodies."""
        self.stopping = False

    @contextlib.contextmanager
    def admitted(self) -> Iterator[Allowance]:
        """Let one request in while the block lasts.

        Raises:
            Refusal: 503, too many are there, or the service stops.
        """
        if self.stopping:
            raise refusals.stopping()
        if self.requests >= self.limits.requests:
            raise refusals.busy(f"{self.limits.requests} requests are worked on or wait")
        allowance = Allowance(self)
        self.requests += 1
        try:
            yield allowance
        finally:
            self.requests -= 1
            allowance.give_back()


class Allowance:
    """The bytes that one request holds."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.held = 0

    def take(self, count: int) -> None:
        """Hold COUNT bytes more.

        Raises:
            Refusal: 503, all requests together hold too many.
        """
        if self.admission.held + count > self.admission.limits.held_bytes:
            raise refusals.busy("the uploads in memory are as large as is allowed")
        self.admission.held += count
        self.held += count

    def give_back(self) -> None:
        """Hold nothing any more."""
        self.admission.held -= self.held
        self.held = 0
