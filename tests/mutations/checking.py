"""Whether the tests notice each fault: sound tests first, then one fault at a time."""

from __future__ import annotations

import contextlib
import queue
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mutations.catalogue import OutdatedError
from mutations.source_copy import NOTHING_SELECTED, SourceCopy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mutations.catalogue import Mutation
    from mutations.source_copy import PytestResult

KILLED, SURVIVED, OUTDATED, UNSOUND = "killed", "survived", "outdated", "unsound"
CHOSEN = ["-m", "not (slow or data or external or variants)"]
"""What the default tests are, for pytest; as in tests/conftest.py."""
SAME = ["--hypothesis-seed=0"]
"""The same examples in every call, so that the table repeats."""
WHOLE = 3600.0
"""Seconds that the tests may take without any fault."""


@dataclass(frozen=True, kw_only=True)
class MutationResult:
    """What became of one fault."""

    mutation: Mutation
    status: str
    """killed, survived, outdated (it no longer applies) or unsound (its tests fail anyway)."""
    detail: str
    """First failing test, or what is wrong."""
    seconds: float = 0.0


class MutationCheck:
    """Faults, the tree they are made in, and the copies of it that the workers hold."""

    def __init__(self, root: Path, jobs: int, timeout: float) -> None:
        self.root = root
        self.jobs = jobs
        self.timeout = timeout
        """Seconds for the tests of one fault; a hang counts as noticed."""
        self._copies: queue.SimpleQueue[SourceCopy] = queue.SimpleQueue()

    def results(
        self, mutations: Sequence[Mutation], on_result: Callable[[MutationResult], None]
    ) -> list[MutationResult]:
        """Try MUTATIONS, telling ON_RESULT of each as it ends; the answer is in their order.

        Raises:
            ForeignImportError: an installed package would be tested.
        """
        results = {mutation.name: self._outdated(mutation) for mutation in mutations}
        for result in filter(None, results.values()):
            on_result(result)
        left = [mutation for mutation in mutations if results[mutation.name] is None]
        with self._workers(min(self.jobs, max(len(left), 1)), left) as pool:
            unsound = self._unsound(pool, left)
            futures = [pool.submit(self._try, mutation, unsound) for mutation in left]
            for future in as_completed(futures):
                result = future.result()
                results[result.mutation.name] = result
                on_result(result)
        return [result for result in results.values() if result is not None]

    def _outdated(self, mutation: Mutation) -> MutationResult | None:
        try:
            mutation.mutated_file(self.root)
        except OutdatedError as error:
            return MutationResult(mutation=mutation, status=OUTDATED, detail=str(error))
        return None

    @contextlib.contextmanager
    def _workers(self, jobs: int, mutations: Sequence[Mutation]) -> Iterator[ThreadPoolExecutor]:
        """Give each of JOBS workers a copy; end and remove them whatever happens."""
        packages = {mutation.package for mutation in mutations}
        with tempfile.TemporaryDirectory(
            prefix="thesis-mutations-", ignore_cleanup_errors=True
        ) as scratch:
            copies = [
                SourceCopy(Path(scratch).resolve() / f"worker-{number}", self.root)
                for number in range(jobs)
            ]
            for copy in copies:
                copy.check_imports(packages)
                self._copies.put(copy)
            with ThreadPoolExecutor(jobs) as pool:
                try:
                    yield pool
                except BaseException:
                    for copy in copies:
                        copy.stop()
                    pool.shutdown(cancel_futures=True)
                    raise

    @contextlib.contextmanager
    def _copy(self) -> Iterator[SourceCopy]:
        copy = self._copies.get()
        try:
            yield copy
        finally:
            self._copies.put(copy)

    def _unsound(self, pool: ThreadPoolExecutor, mutations: Sequence[Mutation]) -> dict[str, str]:
        """Run the tests of MUTATIONS without any fault: test file -> what fails of it."""
        nodes = dict.fromkeys(node for mutation in mutations for node in mutation.tests)
        files = sorted({_file(node) for node in nodes})
        shares = [files[number :: self.jobs] for number in range(self.jobs)]
        wanted = [[node for node in nodes if _file(node) in share] for share in shares if share]
        unsound: dict[str, str] = {}
        for nodes_of_share, run in zip(wanted, pool.map(self._plain, wanted), strict=True):
            unsound |= {_file(node): f"fails without the fault: {node}" for node in run.failed}
            if not run.failed and run.code != 0:
                last = run.output.strip().splitlines()[-1:] or ["no output"]
                unsound |= {_file(node): f"can't be run: {last[0]}" for node in nodes_of_share}
        return unsound

    def _plain(self, nodes: Sequence[str]) -> PytestResult:
        with self._copy() as copy:
            return copy.pytest([*CHOSEN, *SAME, "--continue-on-collection-errors", *nodes], WHOLE)

    def _try(self, mutation: Mutation, unsound: dict[str, str]) -> MutationResult:
        for file in map(_file, mutation.tests):
            if file in unsound:
                return MutationResult(mutation=mutation, status=UNSOUND, detail=unsound[file])
        with self._copy() as copy, copy.mutated(mutation):
            run = copy.pytest([*CHOSEN, *SAME, "-x", *mutation.tests], self.timeout)
        status, detail = self._judged(run)
        return MutationResult(mutation=mutation, status=status, detail=detail, seconds=run.seconds)

    def _judged(self, run: PytestResult) -> tuple[str, str]:
        if run.code is None:
            return KILLED, f"hang: no end within {self.timeout:.0f} s"
        if run.noticed:
            return KILLED, run.failed[0] if run.failed else f"crash: signal {-run.code}"
        if run.code == 0:
            return SURVIVED, ""
        if run.code == NOTHING_SELECTED:
            return UNSOUND, "no default test is selected"
        last = run.output.strip().splitlines()[-1:] or ["no output"]
        return UNSOUND, f"pytest ended with {run.code}: {last[0]}"


def _file(node: str) -> str:
    """Return the test file of a node id, or of pytest's complaint about one."""
    return node.partition("::")[0]
