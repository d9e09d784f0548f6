"""Core ML through coremltools, which converts anywhere and runs on macOS alone.

Source: https://apple.github.io/coremltools.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featherface.export.conversion_scripts.jobs import NAMES, answer, obey, pack

if TYPE_CHECKING:
    from featherface.export.conversion_scripts.jobs import Job

PACKAGE = "network.mlpackage"


def convert(job: Job) -> None:
    """Write the network in `program` (a saved torch.export) to the archive `output`."""
    import coremltools
    import torch

    program = torch.export.load(job["program"])
    model = coremltools.convert(
        program,
        outputs=[coremltools.TensorType(name=name) for name in NAMES],
        minimum_deployment_target=coremltools.target.iOS17,
        compute_precision=coremltools.precision.FLOAT32,
        skip_model_load=True,
    )
    model.short_description = f"Face detector {job['metadata'].get('variant', '')}".strip()
    model.user_defined_metadata.update(job["metadata"])
    with tempfile.TemporaryDirectory() as folder:
        model.save(str(Path(folder) / PACKAGE))
        pack(Path(folder), Path(job["output"]), job["metadata"])


def run(job: Job) -> None:
    """Answer `pictures` with the archive at `model`."""
    import coremltools

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(job["model"]) as packed:
            packed.extractall(folder)
        model = coremltools.models.MLModel(str(Path(folder) / PACKAGE))

        def look(picture: Any) -> list[Any]:
            outputs = model.predict({"images": picture})
            return [outputs[name] for name in NAMES]

        answer(job, look)


if __name__ == "__main__":
    obey(convert, run)
