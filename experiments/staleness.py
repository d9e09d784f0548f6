"""Whether what a run was made from has changed since."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.seal import sha256
from featherface import errors
from featherface.errors import ThesisError

if TYPE_CHECKING:
    from experiments.store import Run
    from experiments.workspace import Workspace


def changes(run: Run, workspace: Workspace) -> list[str]:
    """Return which of `recipe`, `code` and `data` differ now from what RUN was made with.

    What can't be compared (a recipe that was removed, a disk that is not there) has not changed.
    """
    checks = {"recipe": _recipe_changed, "code": _code_changed, "data": _data_changed}
    return [name for name, check in checks.items() if check(run, workspace)]


@cache
def code_digest() -> str:
    """Return the SHA-256 of the detection core's source: what decides the numbers."""
    root = Path(errors.__file__).parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(f"{path.relative_to(root).as_posix()}\n{len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()


def _recipe_changed(run: Run, workspace: Workspace) -> bool:
    recorded = run.record.recipe
    if not recorded:
        return False
    from experiments.resolving import resolve  # noqa: PLC0415 - only runs with a recipe need it

    try:
        now = resolve(run.record.recipe_name, workspace, run.record.overrides)
    except ThesisError:
        return False
    return now.recipe.digest != recorded


def _code_changed(run: Run, workspace: Workspace) -> bool:
    del workspace
    recorded = run.record.code
    return bool(recorded) and recorded != code_digest()


def _data_changed(run: Run, workspace: Workspace) -> bool:
    """Whether an annotation differs; pictures are not read again for it."""
    del workspace
    for fingerprint in run.data.values():
        file = Path(str(fingerprint.get("annotation_file", "")))
        recorded = fingerprint.get("annotation_sha256")
        if recorded and file.is_absolute() and file.is_file() and sha256(file) != recorded:
            return True
    return False
