"""Exporting a network and comparing each file's outputs with PyTorch's (parity)."""

from __future__ import annotations

import hashlib
import importlib
import itertools
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from featherface.devices.precision import computing
from featherface.engines.onnx_runtime import OnnxSession
from featherface.errors import ThesisError, UnavailableError
from featherface.export.deployed import deployed
from featherface.export.formats import FORMATS, WriterSettings
from featherface.export.onnx_file import write_onnx
from featherface.export.runtime_formats import (
    RUNTIME_FORMATS,
    ConvertedNetwork,
    runs_here,
    write_runtime_format,
)
from featherface.export.tensorrt_format import write_tensorrt
from featherface.filesystem.atomic import remove
from featherface.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from torch.nn.parallel import DistributedDataParallel

    from featherface.export.formats import ExportConfig
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress

    Details = Mapping[str, Any]
    """What a writer tells of its file beyond what every file has: keys of the manifest."""
    Writer = Callable[[Detector, Path, WriterSettings, str], Details | None]
    Runner = Callable[[Path], Callable[[Any], dict[str, Any]]]


def late(module: str, name: str) -> Callable[..., Any]:
    """Return what calls NAME of MODULE of this room, which is imported no sooner."""

    def call(*arguments: Any) -> Any:
        return getattr(importlib.import_module(f"featherface.export.{module}"), name)(*arguments)

    return call


WRITERS: dict[str, Writer] = {
    "onnx": write_onnx,
    "onnx-nms": late("onnx_detections", "write_with_detections"),
    "onnx-fp16": late("onnx_half", "write_half"),
    "onnx-int8-dynamic": late("onnx_int8", "write_dynamic"),
    "onnx-int8": late("onnx_int8", "write_static"),
    **{kind: partial(write_runtime_format, kind) for kind in RUNTIME_FORMATS},
    "tensorrt": write_tensorrt,
}
"""Format -> what writes MODEL to PATH, told its settings and the variant's name."""
RUNNERS: dict[str, Runner] = {
    **{name: OnnxSession for name, form in FORMATS.items() if form.engine == "onnxruntime"},
    **{kind: partial(ConvertedNetwork, kind) for kind in RUNTIME_FORMATS},
}
"""Format that is run here -> what opens a file, to be given pictures (B,3,H,W)."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One written file and how it compares with the network."""

    path: Path
    format: str
    sha256: str
    megabytes: float
    """10^6 bytes on disk."""
    parity: float | None = None
    """Largest absolute difference of a score or box delta; None: converted, not run."""
    landmarks_parity: float | None = None
    """The same of a landmark delta, which has no limit."""
    sizes: tuple[tuple[int, int], ...] = ()
    """Heights and widths that were compared."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What its writer tells of it besides."""


def export(
    model: Detector | DistributedDataParallel,
    config: ExportConfig,
    folder: Path,
    name: str,
    variant_name: str,
    settings: WriterSettings | None = None,
    on_progress: OnProgress = silent,
) -> list[Artifact]:
    """Write MODEL to FOLDER/NAME.<suffix> in each format of CONFIG.

    It may be in training, on any device and wrapped: what is written is a copy as it is deployed.
    The operator set is CONFIG's, whatever SETTINGS say.

    Raises:
        UnavailableError: the folder can't be written, a tool is missing, or a file computes
            something else (it is removed).
    """
    model, artifacts = deployed(model), []
    settings = replace(
        settings or WriterSettings(), opset=config.opset, image_size=config.image_size
    )
    for index, kind in enumerate(config.formats):
        FORMATS[kind].require_tools()
        path = folder / f"{name}{FORMATS[kind].suffix}"
        details = _written(kind, model, path, settings, variant_name)
        artifacts.append(_checked(model, _described(path, kind, details), config))
        on_progress(Progress("export", index + 1, len(config.formats), "files"))
    return artifacts


def _written(
    kind: str, model: Detector, path: Path, settings: WriterSettings, variant_name: str
) -> Mapping[str, Any]:
    """Write MODEL to PATH, and return what its writer tells of it.

    Converters raise whatever they like at a network that they don't know: that ends this format
    alone.
    """
    try:
        return WRITERS[kind](model, path, settings, variant_name) or {}
    except (ThesisError, OSError):
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise UnavailableError(
            f"{FORMATS[kind].title} can't be written of {variant_name}:"
            f" {type(error).__name__}: {reason}",
            "the other formats don't depend on it; thesis --debug shows where it happened",
        ) from error


def differences(
    model: Detector | DistributedDataParallel,
    run: Callable[[Any], dict[str, Any]],
    size: tuple[int, int],
    batch: int = 1,
) -> dict[str, float]:
    """Return by output the largest absolute difference of RUN from MODEL on random pictures.

    RUN computes in single precision on the CPU, so a copy of MODEL does too, wherever MODEL is: a
    card's own rounding says nothing of the file.
    """
    images = _pictures(batch, size)
    reference = deployed(model)
    with torch.inference_mode(), computing(reference):
        raw = reference(images)
    wanted = {
        "boxes": raw.boxes,
        "scores": raw.logits.softmax(-1),
        "landmarks": raw.landmarks,
    }
    outputs = run(images.numpy())
    return {
        name: (torch.as_tensor(outputs[name]) - value).abs().max().item()
        for name, value in wanted.items()
    }


def parity_of(differences_of_cases: Iterable[Mapping[str, float]]) -> float:
    """Return the largest of DIFFERENCES_OF_CASES that has a limit: of boxes and scores.

    >>> parity_of([{"boxes": 1e-6, "scores": 3e-6, "landmarks": 1e-2}])
    3e-06
    """
    return max(max(case["boxes"], case["scores"]) for case in differences_of_cases)


def _described(path: Path, kind: str, details: Mapping[str, Any]) -> Artifact:
    content = path.read_bytes()
    return Artifact(
        path=path,
        format=kind,
        sha256=hashlib.sha256(content).hexdigest(),
        megabytes=len(content) / 1e6,
        details=details,
    )


def _checked(model: Detector, artifact: Artifact, config: ExportConfig) -> Artifact:
    """Return ARTIFACT with its parity, where an engine runs it here; remove what is not MODEL."""
    form = FORMATS[artifact.format]
    if artifact.format not in RUNNERS or not (form.engine or runs_here(artifact.format)):
        return artifact
    run = RUNNERS[artifact.format](artifact.path)
    sizes, batches = config.parity_sizes, config.parity_batches
    if (size := artifact.details.get("fixed_size")) is not None:
        sizes, batches = ((size[0], size[1]),), (1,)
    cases = itertools.product(sizes, batches)
    cases_differences = [differences(model, run, size, batch) for size, batch in cases]
    parity = parity_of(cases_differences)
    limit = config.tolerance if form.tolerance is None else form.tolerance
    if not parity <= limit:
        remove(artifact.path)
        raise UnavailableError(
            f"{artifact.path.name} differs from the network by {parity:.2g}, more than {limit:g}",
            "another version of onnxruntime or torch may help: thesis doctor",
        )
    return replace(
        artifact,
        parity=parity,
        landmarks_parity=max(difference["landmarks"] for difference in cases_differences),
        sizes=sizes,
    )


def _pictures(batch: int, size: tuple[int, int]) -> torch.Tensor:
    """Draw pictures with structure of several scales, minus a mean: (B,3,H,W)."""
    generator = torch.Generator().manual_seed(0)
    height, width = size
    picture = torch.zeros(batch, 3, height, width)
    for cell in (1, 4, 16, 32):
        noise = torch.randn(batch, 3, height // cell, width // cell, generator=generator)
        picture += torch.nn.functional.interpolate(noise, size=size)
    return 30 * picture
