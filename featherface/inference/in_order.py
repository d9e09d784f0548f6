"""Work that is finished on a thread beside the next piece's beginning, in the order it came."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

AHEAD = 2
"""Pieces that may wait: more would only keep their memory."""


class InOrder:
    """Calls FINISH with each piece that is added, one after the other, on one thread.

    TELL is called on the thread that adds, with what FINISH returned for each piece. What FINISH
    raises is raised by `add`, `wait` or the end of the block; what was added before is finished in
    any case, so that nothing that was seen is lost.
    """

    def __init__(self, finish: Callable[..., int], tell: Callable[[int], None]) -> None:
        self._finish, self._tell = finish, tell
        self._waiting: deque[Future[int]] = deque()
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.wait()
        finally:
            self._thread.shutdown()

    def add(self, *piece: Any) -> None:
        """Finish PIECE later; wait for earlier ones where AHEAD are waiting already."""
        while self._waiting and (len(self._waiting) >= AHEAD or self._waiting[0].done()):
            self._next()
        self._waiting.append(self._thread.submit(self._finish, *piece))

    def wait(self) -> None:
        """Wait until all is finished."""
        while self._waiting:
            self._next()

    def _next(self) -> None:
        self._tell(self._waiting.popleft().result())
