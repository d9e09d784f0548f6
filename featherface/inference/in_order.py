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
"""Pieces that may wait, unless more are made at once: they would only keep their memory."""


class InOrder:
    """Calls FINISH with each piece that is added, one after the other, on one thread.

    Up to AHEAD pieces may wait. TELL is called on the thread that adds, with what FINISH returned
    for each piece. What FINISH raises is raised by `add`, `wait` or the end of the block; what was
    added before is finished in any case, so that nothing that was seen is lost.
    """

    def __init__(
        self, finish: Callable[..., int], tell: Callable[[int], None], ahead: int = AHEAD
    ) -> None:
        self._finish, self._tell, self._ahead = finish, tell, ahead
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
        while self._waiting and (len(self._waiting) >= self._ahead or self._waiting[0].done()):
            self._next()
        self._waiting.append(self._thread.submit(self._finish, *piece))

    def wait(self) -> None:
        """Wait until all is finished."""
        while self._waiting:
            self._next()

    def _next(self) -> None:
        self._tell(self._waiting.popleft().result())


class Looking:
    """Calls LOOK with each piece, on as many threads as may AT_ONCE; on this one, where it is one.

    >>> with Looking(len, 2) as looking:
    ...     seen = looking.at("four")
    ...     seen()
    4
    """

    def __init__(self, look: Callable[[Any], Any], at_once: int) -> None:
        self._look = look
        self._threads = ThreadPoolExecutor(at_once) if at_once > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def at(self, piece: Any) -> Callable[[], Any]:
        """Begin to look at PIECE; return what waits for what was seen, or raises what failed."""
        if self._threads is not None:
            return self._threads.submit(self._look, piece).result
        seen = self._look(piece)
        return lambda: seen
