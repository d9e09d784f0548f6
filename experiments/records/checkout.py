"""Whether git checked a workspace out byte for byte, and the repair where it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from experiments.records.line_ends import CRLF
from experiments.records.record import RECORD
from experiments.records.seal import LINE_ENDS, MEND, SEAL, restore_line_ends
from experiments.records.store import Store
from experiments.workspace import repository
from featherface.errors import ThesisError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.records.run import Run
    from experiments.workspace.workspace import Workspace


class CheckoutFinding(NamedTuple):
    """One thing that was looked at."""

    name: str
    status: str
    """`ok` or `warning`."""
    found: str
    advice: str = ""
    """What to type or do; empty where all is well."""


def findings(workspace: Workspace) -> Iterator[CheckoutFinding]:
    """Say how WORKSPACE stands with git and with line ends; nothing is written."""
    if repository.under_git(workspace.root):
        yield _lines(workspace)
        if repository.tracks_state(workspace.root):
            advice = "git rm -r -q --cached .thesis"
            yield CheckoutFinding("git .thesis", "warning", "git keeps what can be rebuilt", advice)
    names = [run.id for run in Store(workspace).runs() if run.sealed and _converted(run)]
    if names:
        told = f"converted since they were sealed: {', '.join(names)}"
        yield CheckoutFinding("line ends", "warning", told, MEND)


def mend(workspace: Workspace) -> list[str]:
    """Tell git what it has to know, put sealed line ends back; return what was done and remains.

    Raises:
        UsageError: git can't read a file that lines are to be added to.
        UnavailableError: a file can't be written.
    """
    added = repository.complete(workspace.root)
    done = [f"added to {name}: {', '.join(lines)}" for name, lines in added.items()]
    done += _restored(workspace)
    if repository.under_git(workspace.root) and done:
        done.append(f"commit it: git add {' '.join(repository.FILES)}")
        done.append("           git add -u runs")
    return done


def _restored(workspace: Workspace) -> Iterator[str]:
    """Put sealed line ends back; yield a sentence for each record."""
    store = Store(workspace)
    for run in store.runs():
        damaged = any(problem.kind == LINE_ENDS for problem in store.problems(run))
        if run.sealed and (damaged or _converted(run)):
            files = restore_line_ends(run.folder)
            yield f"{run.id}: line ends put back as sealed ({len(files)} files)"


def _lines(workspace: Workspace) -> CheckoutFinding:
    """Say whether git leaves sealed files alone."""
    name, root = "git files", workspace.root
    try:
        lacking = repository.missing(root)
    except ThesisError as error:
        return CheckoutFinding(name, "warning", error.message, error.hint or "")
    if lacking:
        count = ", ".join(f"{file} lacks {len(lines)} lines" for file, lines in lacking.items())
        return CheckoutFinding(name, "warning", f"{count}: git may change sealed files", MEND)
    if repository.converts(root):
        line = repository.ATTRIBUTES[0]
        told = f"a line of .gitattributes below `{line}` takes its effect"
        return CheckoutFinding(name, "warning", told, "move the lines below `# thesis:` to its end")
    return CheckoutFinding(name, "ok", ", ".join(repository.FILES))


def _converted(run: Run) -> bool:
    """Whether files of a record that we write with LF have other line ends."""
    try:
        return any(CRLF in (run.folder / name).read_bytes() for name in (RECORD, SEAL))
    except OSError:
        return False
