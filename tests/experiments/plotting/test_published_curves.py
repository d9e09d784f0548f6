"""Curves that others published are read as they are kept, and nothing else is taken for one."""

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from experiments.plotting.published_curves import read_curve, read_curves
from featherface.errors import DataError

PAIRS = np.array([[np.nan, 0.0], [1.0, 0.25], [0.75, 0.5], [0.5, 0.75]])


def write(folder, method, subset, pairs=PAIRS):
    path = folder / method / f"wider_pr_info_{method}_{subset}_val.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"pr_cruve": pairs, "legend_name": method})
    return path


def test_every_method_below_the_folder(tmp_path):
    for subset in ("hard", "easy"):
        write(tmp_path, "A_b", subset)
    write(tmp_path, "Zed", "medium")
    found = read_curves(tmp_path)
    assert {name: list(curves) for name, curves in found.items()} == {
        "A_b": ["easy", "hard"],
        "Zed": ["medium"],
    }
    assert found["Zed"]["medium"].ap == pytest.approx(0.25 * (1 + 0.75 + 0.5))


def test_matlab_7_3_files_are_read_too(tmp_path):
    path = tmp_path / "wider_pr_info_M_hard_val.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["pr_cruve"] = PAIRS.T
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + bytes([0, 2]) + b"IM")
    assert read_curve(path).ap == pytest.approx(0.5625)


@pytest.mark.parametrize("pairs", [np.ones((3, 3)), np.full((4, 2), 7.0), np.zeros((0, 2))])
def test_other_matrices_are_refused(tmp_path, pairs):
    with pytest.raises(DataError, match=r"pr_cruve|between 0 and 1"):
        read_curve(write(tmp_path, "M", "hard", pairs))


def test_damaged_and_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match="holds no wider_pr_info"):
        read_curves(tmp_path)
    path = write(tmp_path, "M", "hard")
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(DataError, match=r"wider_pr_info_M_hard_val\.mat can't be read"):
        read_curves(tmp_path)
