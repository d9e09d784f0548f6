"""Published precision-recall curves, read from the files of WIDER FACE's evaluation tools.

Each method has a folder with `wider_pr_info_<method>_<subset>_val.mat` files, whose matrix
`pr_cruve` (their spelling) holds precision and recall at 1,000 thresholds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.metrics import SUBSETS
from featherface.errors import DataError, UnavailableError
from featherface.evaluation.curves import average_precision

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FILE = re.compile(r"wider_pr_info_(?P<method>.+)_(?P<subset>easy|medium|hard)_val\.mat")
MATRIX = "pr_cruve"
MAX_BYTES = 64 * 2**20
"""Bytes; such a file holds 16 KB."""


@dataclass(frozen=True)
class PublishedCurve:
    """A published precision-recall curve of one method on one subset, at T thresholds."""

    precision: NDArray[np.float64]
    """(T,)"""
    recall: NDArray[np.float64]
    """(T,): not falling."""

    @property
    def ap(self) -> float:
        """The area under it, as the official tools integrate it."""
        return float(average_precision(self.precision[None], self.recall[None])[0])


def read_curves(folder: Path) -> dict[str, dict[str, PublishedCurve]]:
    """Return method -> subset -> curve of every such file below FOLDER.

    Raises:
        DataError: there is none, or one is damaged.
        UnavailableError: one is of MATLAB 7.3's kind and h5py is not installed.
    """
    methods: dict[str, dict[str, PublishedCurve]] = {}
    for path in sorted(folder.rglob("wider_pr_info_*.mat")):
        match = FILE.fullmatch(path.name)
        if match:
            methods.setdefault(match["method"], {})[match["subset"]] = read_curve(path)
    if not methods:
        raise DataError(
            f"{folder} holds no wider_pr_info_METHOD_SUBSET_val.mat",
            "unpack eval_tools.zip of WIDER FACE and give its plot/baselines/Val/setting_int",
        )
    order = {subset: place for place, subset in enumerate(SUBSETS)}
    return {
        method: dict(sorted(curves.items(), key=lambda item: order[item[0]]))
        for method, curves in sorted(methods.items())
    }


def read_curve(path: Path) -> PublishedCurve:
    """Return the curve that one file holds.

    Raises:
        DataError: it can't be read, or holds no such matrix.
        UnavailableError: it is of MATLAB 7.3's kind and h5py is not installed.
    """
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"{path} is larger than {MAX_BYTES} bytes: no curve", "remove that file")
    try:
        matrix = np.asarray(_load(path)[MATRIX], dtype=np.float64)
    except UnavailableError:
        raise
    except Exception as error:  # scipy and h5py raise whatever a damaged file provokes
        raise DataError(f"{path} can't be read: {error}", "unpack eval_tools.zip again") from error
    if matrix.ndim != 2 or 2 not in matrix.shape or not matrix.size:
        raise DataError(f"{path}: {MATRIX} is {matrix.shape}, not (thresholds, 2)")
    pairs = matrix if matrix.shape[1] == 2 else matrix.T
    precision, recall = np.nan_to_num(pairs[:, 0]), pairs[:, 1]  # 0 / 0 before the first proposal
    if not (_share(precision) and _share(recall)):
        raise DataError(f"{path}: precision and recall must lie between 0 and 1")
    return PublishedCurve(precision, np.maximum.accumulate(recall))


def _share(values: NDArray[np.float64]) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _load(path: Path) -> Mapping[str, Any]:
    from scipy.io import loadmat  # noqa: PLC0415 - slow to import, rarely needed

    try:
        content: Mapping[str, Any] = loadmat(path)
    except NotImplementedError:  # what scipy says of MATLAB 7.3, which is HDF5
        return {MATRIX: _load_hdf5(path)}
    return content


def _load_hdf5(path: Path) -> Any:
    try:
        import h5py  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise UnavailableError(
            f"{path} is a MATLAB 7.3 file, and what reads it is not installed",
            'python -m pip install "thesis[curves]"',
        ) from None
    with h5py.File(path, "r") as file:
        return np.array(file[MATRIX])
