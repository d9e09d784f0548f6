"""Whether a package is what was packaged: its files by digest, its models by what they find."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from experiments.deployment import sample_picture
from experiments.deployment.manifest import read_manifest
from experiments.deployment.packaged_models import MODELS, opened
from featherface.data.fingerprint import file_sha256
from featherface.data.images import read_image
from featherface.errors import ClaimFalseError, ThesisError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PackageProblem:
    """One thing that is not as it was packaged."""

    path: str
    """Below the package's folder."""
    problem: str
    """`changed`, `missing`, `added`, `unreadable`, `swapped` or `other faces`."""
    detail: str
    """The sentence for a person."""


@dataclass(frozen=True)
class ModelVerdict:
    """One model of a package, looked at."""

    path: str
    format: str
    engine: str | None
    ran: bool
    reason: str
    """Why it did not run; empty where it did."""
    faces: int
    """Found in the packaged picture."""


@dataclass(frozen=True)
class PackageVerdict:
    """What the examination of a package gave."""

    folder: Path
    name: str
    run: str
    seal: str
    problems: tuple[PackageProblem, ...]
    models: tuple[ModelVerdict, ...]

    @property
    def intact(self) -> bool:
        """Whether everything is as it was packaged."""
        return not self.problems


def verify_package(folder: Path) -> PackageVerdict:
    """Examine the package in FOLDER: every file, then every model that can run here.

    Raises:
        NotFoundError: FOLDER holds no package.
    """
    try:
        manifest = read_manifest(folder)
    except ClaimFalseError as error:
        problem = PackageProblem("manifest.json", "changed", error.message)
        return PackageVerdict(folder, folder.name, "", "", (problem,), ())
    problems = [*_files(folder, manifest), *_added(folder, manifest)]
    spoilt = {problem.path for problem in problems}
    models: list[ModelVerdict] = []
    if manifest["sample"]["picture"] not in spoilt:
        picture = read_image(folder / manifest["sample"]["picture"])
        sound = (entry for entry in manifest["models"] if entry["path"] not in spoilt)
        for entry in sound:
            verdict, problem_of_model = _looked(folder, manifest, entry, picture)
            models.append(verdict)
            problems += problem_of_model
    return PackageVerdict(
        folder,
        str(manifest["name"]),
        manifest["run"] or "",
        manifest["seal"] or "",
        tuple(problems),
        tuple(models),
    )


def _files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[PackageProblem]:
    for entry in (*manifest["models"], *manifest["files"]):
        name, path = entry["path"], folder / entry["path"]
        if not path.is_file():
            yield PackageProblem(name, "missing", f"{name} is missing")
        elif (digest := file_sha256(path)) != entry["sha256"]:
            detail = f"{name} was changed: its SHA-256 begins with {digest[:12]}"
            wanted = f"{detail}, not with {entry['sha256'][:12]}"
            yield PackageProblem(name, "changed", wanted)


def _added(folder: Path, manifest: Mapping[str, Any]) -> Iterator[PackageProblem]:
    """Name models that are not in the manifest; elsewhere people build and write."""
    known = {entry["path"] for entry in (*manifest["models"], *manifest["files"])}
    for path in sorted((folder / MODELS).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in known:
            detail = f"{name} is no part of the package: it was added later"
            yield PackageProblem(name, "added", detail)


def _looked(
    folder: Path, manifest: Mapping[str, Any], entry: Mapping[str, Any], picture: NDArray[np.uint8]
) -> tuple[ModelVerdict, list[PackageProblem]]:
    """Let a model look at PICTURE, if it ran when it was packaged."""
    name, kept = entry["path"], entry["detections"]

    def verdict(reason: str, faces: int = 0) -> ModelVerdict:
        ran = not reason
        return ModelVerdict(name, entry["format"], entry["engine"], ran, reason, faces)

    if kept is None:
        return verdict(str(entry["not_run"])), []
    engine = opened(folder / name)
    if isinstance(engine, str):
        problem = PackageProblem(name, "unreadable", f"{name} can't be opened: {engine}")
        return verdict(engine), [problem]
    if not _same_settings(asdict(engine.config), manifest["network"]["settings"]):
        detail = f"{name} is of another network than the manifest tells: its settings differ"
        return verdict(detail), [PackageProblem(name, "swapped", detail)]
    sample = manifest["sample"]
    threshold = float(sample["score_threshold"])
    try:
        found = sample_picture.faces(engine, picture, threshold)
    except ThesisError as error:
        return verdict(error.message), [PackageProblem(name, "unreadable", error.message)]
    off = sample_picture.differences(kept, found, threshold, sample["tolerance"])
    detail = f"{name} finds other faces in the packaged picture than when it was packaged: {off}"
    problems = [PackageProblem(name, "other faces", detail)] if off else []
    return verdict("", min(len(found), sample_picture.MOST)), problems


def _same_settings(mine: Mapping[str, Any], packaged: Mapping[str, Any]) -> bool:
    """Whether settings agree; keys that one version lacks say nothing."""
    return all(_plain(mine[key]) == _plain(packaged[key]) for key in mine.keys() & packaged.keys())


def _plain(value: Any) -> Any:
    """Return VALUE with lists for tuples, as JSON has them."""
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
