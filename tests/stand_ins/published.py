"""Published weights among the reference data, and what their original programs made of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FILES = {
    "v1-official": "featherface_v1_official.pth",
    "v1-489k": "featherface_v1_489k.pth",
    "eca-cbam": "featherface_eca_cbam.pth",
    "v2-coordatt": "featherface_v2_coordatt.pth",
    "retinaface-mnet025": "retinaface_mnet025_published.pth",
    "retinaface-1mb": "retinaface_mnet025.pth",
}
"""Variant -> its file."""
FOLDERS = {
    "retinaface-mnet025": "retinaface-mnet025-published",
    "retinaface-1mb": "retinaface-mnet025",
}
"""Variant -> the folder of its original outputs, where that has another name."""


def weights_file(reference_data: Path, variant: str) -> Path:
    return reference_data / "weights" / FILES[variant]


def outputs_folder(reference_data: Path, variant: str) -> Path:
    """Hold the raw outputs for one picture, and the detections on 34 pictures of val."""
    return reference_data / "reference" / FOLDERS.get(variant, variant)


def raw_outputs(reference_data: Path, variant: str) -> dict[str, NDArray[Any]]:
    """Return `image_bgr` and what the original program gave for it: `loc`, `conf`, `landm`."""
    with np.load(outputs_folder(reference_data, variant) / "raw320.npz") as file:
        return dict(file)


def expected_ap(reference_data: Path, variant: str) -> dict[str, float]:
    """Return subset -> AP on 34 pictures of val, by the reference evaluator, to six decimals."""
    text = (reference_data / "expected.json").read_text(encoding="utf-8")
    val34 = json.loads(text)["val34"]
    if variant != "retinaface-mnet025":
        return val34["ap"][FOLDERS.get(variant, variant)]
    published = val34["ap_published"][variant]
    return {subset: published[subset] for subset in ("easy", "medium", "hard")}
