"""Match records of each picture: enough to compute the AP of any resample of them."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.errors import DataError
from featherface.evaluation.curves import average_precision, precision_recall
from featherface.filesystem.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    Curves = tuple[NDArray[np.float64], NDArray[np.float64]]

_VERSION = 1
_EXACT = 2**24  # whole numbers up to here are exact in float32
_CHUNK = 256  # resamples at a time: 256 x 1,000 thresholds x 8 bytes is 2 MiB an array


@dataclass(frozen=True, kw_only=True)
class SubsetMatches:
    """One subset's counts, picture by picture; T thresholds from the strictest to none."""

    faces: NDArray[np.int32]
    """(I,): faces asked for."""
    proposals: NDArray[np.int32]
    """(I, T): detections that count at each threshold; those on ignored faces don't."""
    hits: NDArray[np.int32]
    """(I, T): faces found at each threshold."""


@dataclass(frozen=True, kw_only=True)
class MatchRecords:
    """The counts of a whole evaluation.

    Scores were normalised over the whole set before they met the thresholds, so a resample keeps
    the normalisation of the full evaluation.
    """

    images: tuple[str, ...]
    """Names of the I pictures."""
    subsets: Mapping[str, SubsetMatches]
    score_range: tuple[float, float] = (0.0, 1.0)
    """Lowest and highest score of the set: normalised 0 and 1."""

    def curve(self, subset: str, weights: NDArray[np.float64] | None = None) -> Curves:
        """Give precision and recall (T,), each picture counted WEIGHTS (I,) times (once)."""
        precision, recall = self._one(subset, weights)
        return precision[0], recall[0]

    def ap(self, subset: str, weights: NDArray[np.float64] | None = None) -> float:
        """Give the AP with each picture counted WEIGHTS (I,) times; NaN without any face."""
        return float(average_precision(*self._one(subset, weights))[0])

    def resampled_ap(self, subset: str, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the AP (R,) of R resamples: WEIGHTS (R, I) says how often each counts a picture.

        A row of ones gives exactly the AP of the evaluation.
        """
        table = np.asarray(weights, dtype=np.float64)
        precisions = [average_precision(*curves) for curves in self._curves(subset, table)]
        return np.concatenate(precisions) if precisions else np.empty(0)

    def save(self, path: Path) -> None:
        """Write the records as a compressed .npz, atomically: for full val about 0.2 MB."""
        arrays: dict[str, NDArray[Any]] = {
            "version": np.array(_VERSION),
            "images": np.array(self.images, dtype=np.str_),
            "subsets": np.array(list(self.subsets), dtype=np.str_),
            "score_range": np.array(self.score_range, dtype=np.float64),
        }
        for name, subset in self.subsets.items():
            arrays[f"{name}.faces"] = subset.faces
            for key in ("proposals", "hits"):
                arrays |= _sparse(f"{name}.{key}", getattr(subset, key))
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> MatchRecords:
        """Read what `save` wrote.

        Raises:
            DataError: PATH is missing, damaged, or of another version.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls._from_arrays(dict(arrays))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{path} holds no match records: {error}", "evaluate the run again"
            ) from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> MatchRecords:
        if int(arrays["version"]) != _VERSION:
            raise ValueError(f"version {arrays['version']} is not {_VERSION}")
        low, high = arrays["score_range"].tolist()
        return cls(
            images=tuple(arrays["images"].tolist()),
            subsets={
                name: SubsetMatches(
                    faces=arrays[f"{name}.faces"].astype(np.int32),
                    proposals=_dense(f"{name}.proposals", arrays),
                    hits=_dense(f"{name}.hits", arrays),
                )
                for name in arrays["subsets"].tolist()
            },
            score_range=(low, high),
        )

    def _one(self, subset: str, weights: NDArray[np.float64] | None) -> Curves:
        once = np.ones(len(self.images)) if weights is None else weights
        return next(self._curves(subset, np.asarray(once, dtype=np.float64)[None]))

    def _curves(self, subset: str, weights: NDArray[np.float64]) -> Iterator[Curves]:
        """Yield precision and recall (at most _CHUNK, T) of the resamples in WEIGHTS (R, I)."""
        matches = self.subsets[subset]
        kind = _float(weights, matches.proposals)
        hits, proposals = matches.hits.astype(kind), matches.proposals.astype(kind)
        for start in range(0, len(weights), _CHUNK):
            chunk = weights[start : start + _CHUNK]  # (C, I)
            hit_counts, proposed = (
                chunk.astype(kind) @ hits,
                chunk.astype(kind) @ proposals,
            )  # (C, T)
            faces = chunk @ matches.faces  # (C,)
            yield precision_recall(
                hit_counts.astype(np.float64), proposed.astype(np.float64), faces
            )


def _float(weights: NDArray[np.float64], counts: NDArray[np.int32]) -> type[np.floating[Any]]:
    """Choose float32 where every sum is a whole number that it holds exactly."""
    if not weights.size or not counts.size or np.any(weights != np.rint(weights)):
        return np.float64
    largest = float(np.abs(weights).max()) * float(counts[:, -1].sum())
    return np.float32 if largest < _EXACT else np.float64


def _sparse(name: str, counts: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    """Keep the places where COUNTS (I, T) grow along a row, and by how much."""
    growth = np.diff(counts, axis=1, prepend=0).ravel()
    place = np.flatnonzero(growth)
    return {
        f"{name}.shape": np.array(counts.shape),
        f"{name}.steps": np.diff(place, prepend=0).astype(np.int32),
        f"{name}.growth": growth[place].astype(np.int32),
    }


def _dense(name: str, arrays: dict[str, NDArray[Any]]) -> NDArray[np.int32]:
    images, thresholds = arrays[f"{name}.shape"].tolist()
    counts = np.zeros(images * thresholds, dtype=np.int32)
    counts[np.cumsum(arrays[f"{name}.steps"], dtype=np.int64)] = arrays[f"{name}.growth"]
    return np.cumsum(counts.reshape(images, thresholds), axis=1, dtype=np.int32)
