"""The uncommitted changes of the code that runs, as source.patch keeps them.

What the student writes and what earlier runs left is no code: it stays out, wherever it lies in the
repository. Under the limit code comes first, and what is dropped is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from experiments import schema
from experiments.records.record import Git
from experiments.redaction import SECRET_NAME, clean_text, clean_url
from experiments.workspace import paths
from experiments.workspace.repository import ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from experiments.recipe.model import Recipe
    from experiments.workspace.workspace import Workspace

PATCH_LIMIT = 2_000_000
"""Bytes of source.patch; of a larger difference the code's files are kept, as far as they go."""
UNTRACKED_LIMIT = 200_000
"""Bytes of one untracked file that goes into the patch."""
NAMED = 20
"""Dropped files that the record names; of more it tells the number."""
CODE = (
    ".py",
    ".pyi",
    ".pyx",
    ".c",
    ".h",
    ".cc",
    ".cpp",
    ".hpp",
    ".cu",
    ".cuh",
    ".rs",
    ".jl",
    ".js",
)
"""Suffixes of programs: an unquoted word there is a variable."""
SETTINGS = (".toml", ".yaml", ".yml", ".cfg", ".ini", ".sh", ".ps1", ".bat", ".cmake", ".jinja")
"""Suffixes of what decides with the code what is computed."""
PROSE = (".md", ".txt", ".tex", ".bib", ".rst", ".docx", ".typ", ".org", ".canvas", ".base")
"""Suffixes of what a student writes; of the workspace's own folder it never goes in."""
SECRET_SUFFIXES = (".env", ".pem", ".key", ".netrc", ".p12", ".pfx", ".kdbx", ".ppk", "id_rsa")
PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")


@dataclass(frozen=True)
class SourceState:
    """The code that runs, as a repository knows it."""

    git: Git
    patch: str = ""
    """Content of source.patch."""


class _Change(NamedTuple):
    """What was done to one file."""

    path: str
    """From the repository's root, with forward slashes."""
    patch: str
    """Empty where it can't be kept."""
    why: str = ""
    """Why it is not."""


def code_state(workspace: Workspace, recipe: Recipe) -> SourceState:
    """Return what is known of the program's own code, else of the code in WORKSPACE.

    Left out are the vault, the runs, .thesis, the data roots of the settings and what RECIPE reads.
    """
    named = paths.found(schema.plain(recipe)).values()
    leave_out = (
        *(workspace.vault, workspace.runs, workspace.state),
        *workspace.data_roots.values(),
        *(workspace.root / Path(name).expanduser() for name in named),
    )
    prose = (workspace.root, workspace.vault)
    state = source(Path(__file__).parent, leave_out, prose)
    return state if state.git.commit else source(workspace.root, leave_out, prose)


def source(
    folder: Path, leave_out: Sequence[Path] = (), prose_of: Sequence[Path] = ()
) -> SourceState:
    """Return commit and uncommitted changes of the repository that FOLDER lies in.

    Nothing below a path of LEAVE_OUT goes in, nor prose below one of PROSE_OF, a student's folders.
    No git, no repository, a git that hangs or a broken repository: an empty `Git`.
    """
    commit, top = _git(folder, "rev-parse", "HEAD").strip(), _top(folder)
    if not commit or top is None:
        return SourceState(Git())
    where = _without(top, leave_out, prose_of)
    status = _git(top, "status", "--porcelain", "--untracked-files=normal", "--", *where)
    branch = clean_text(_git(folder, "rev-parse", "--abbrev-ref", "HEAD").strip(), commits=True)
    remote = clean_url(_git(folder, "remote", "get-url", "origin").strip())
    dirty = bool(status.strip())
    patch, told = _patch(top, where) if dirty else ("", "")
    known = Git(commit=commit, branch=branch, dirty=dirty, remote=remote, patch=told)
    return SourceState(known, patch)


def _top(folder: Path) -> Path | None:
    text = _git(folder, "rev-parse", "--show-toplevel").strip("\n")
    return Path(text) if text else None


def _without(top: Path, leave_out: Iterable[Path], prose_of: Iterable[Path]) -> list[str]:
    """Return what git is to look at in the repository at TOP, as pathspecs."""
    specs = [f":(top,exclude,literal){name}" for name in _within(top, leave_out) if name != "."]
    for name in _within(top, prose_of):
        place = "" if name == "." else re.sub(r"([*?\[\\])", r"\\\1", name) + "/"
        specs += [f":(top,exclude,glob){place}**/*{suffix}" for suffix in PROSE]
    return [":(top)", *specs]


def _within(top: Path, folders: Iterable[Path]) -> list[str]:
    """Return those of FOLDERS that lie in TOP, or are it, as git names them."""
    root = top.resolve()
    whole = dict.fromkeys(folder.resolve() for folder in folders)
    return [path.relative_to(root).as_posix() for path in whole if path.is_relative_to(root)]


def _patch(top: Path, where: Sequence[str]) -> tuple[str, str]:
    """Return the uncommitted changes and what the record says of them."""
    kept: list[_Change] = []
    dropped: list[str] = []
    size = 0
    changes = [_cleaned(change) for change in (*_tracked(top, where), *_untracked(top, where))]
    for change in sorted(changes, key=_rank):
        length = len(change.patch.encode("utf-8"))
        if change.why or size + length > PATCH_LIMIT:
            why = change.why or f"{length:,} bytes"
            dropped.append(f"{clean_text(change.path, commits=True)} ({why})")
        else:
            kept.append(change)
            size += length
    text = "".join(change.patch for change in kept)
    told = ", ".join(dropped[:NAMED])
    more = f" and {len(dropped) - NAMED} more" if len(dropped) > NAMED else ""
    if not text:
        return "", f"not kept: {told or 'nothing that is text'}{more}"
    return text, f"source.patch, without {told}{more}" if dropped else "source.patch"


def _rank(change: _Change) -> tuple[int, int, str]:
    """Return the order under the limit: code, settings, the rest; small before large."""
    suffix = PurePosixPath(change.path).suffix
    kind = 0 if suffix in CODE else 1 if suffix in SETTINGS else 2
    return kind, len(change.patch), change.path


def _cleaned(change: _Change) -> _Change:
    code = PurePosixPath(change.path).suffix in CODE
    return change._replace(patch=clean_text(change.patch, code=code))


def _tracked(top: Path, where: Sequence[str]) -> Iterator[_Change]:
    """Yield what was done to each file that git knows."""
    listed = _git(top, "diff", "HEAD", "--name-only", "-z", "--no-renames", "--", *where)
    names = [name for name in listed.split("\0") if name]
    text = _git(top, "-c", "core.quotePath=false", "diff", "HEAD", *PLAIN, "--", *where)
    parts = re.split(r"^(?=diff --git )", text, flags=re.MULTILINE)[1:]
    if len(parts) != len(names):  # git took too long, or a name holds a line end
        names = [part.partition("\n")[0].rpartition(" b/")[2] for part in parts]
    for name, part in zip(names, parts, strict=True):
        if _is_secret(name):
            yield _Change(name, "", "may hold a secret")
        elif re.search(r"^Binary files .* differ$", part, re.MULTILINE):
            yield _Change(name, "", "no text")
        else:
            yield _Change(name, part)


def _untracked(top: Path, where: Sequence[str]) -> Iterator[_Change]:
    """Yield each small untracked text file as a patch that adds it."""
    listed = _git(top, "ls-files", "--others", "--exclude-standard", "-z", "--", *where)
    for name in (name for name in listed.split("\0") if name):
        path = top / name
        if _is_secret(name):
            yield _Change(name, "", "may hold a secret")
            continue
        try:
            if path.is_symlink() or not path.is_file():
                continue
            size = path.stat().st_size
            if size > UNTRACKED_LIMIT:
                yield _Change(name, "", f"{size:,} bytes")
                continue
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            yield _Change(name, "", "no text")
            continue
        lines = content.splitlines()
        body = "".join(f"+{line}\n" for line in lines)
        yield _Change(
            name,
            f"diff --git a/{name} b/{name}\nnew file mode 100644\n"
            f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(lines)} @@\n{body}",
        )


def _is_secret(name: str) -> bool:
    """Whether a file's NAME says that it holds a secret; a program may be named so."""
    path = PurePosixPath(name)
    if path.name.endswith(SECRET_SUFFIXES) or path.name.startswith((".env", ".netrc", "_netrc")):
        return True
    return path.suffix not in CODE and bool(SECRET_NAME.search(path.name))


def _git(folder: Path, *arguments: str) -> str:
    """Return git's answer; empty where there is none to be had."""
    return ask(folder, *arguments) or ""
