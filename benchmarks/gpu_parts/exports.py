"""Networks written from a card, and files that a card computes: how near, how fast."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featherface.engines.opening import open_file
from featherface.engines.pytorch import PyTorchEngine
from featherface.errors import ThesisError
from featherface.export.formats import FORMATS, ExportConfig
from featherface.export.writing import export
from featherface.networks.detector import build
from featherface.profiling.timing import wait
from featherface.variants.table import variant
from gpu_parts.accuracy import WEIGHTS, clocked
from gpu_parts.made_up import pictures

if TYPE_CHECKING:
    import torch

    from featherface.engines.engine import Engine
    from featherface.networks.detector import Detector
    from gpu_parts.answers import Answers, Setting

CARRIED = ("onnx", "onnx-fp16", "onnx-int8-dynamic", "tensorrt")
"""Formats that a card can compute, or that are written with one."""


def files(setting: Setting, answers: Answers) -> None:
    """Write networks that lie on the card, and compare and time what the card computes of them."""
    side, runs = setting.pick((640, 50), (64, 3))
    for name in setting.pick([*WEIGHTS, "v2", "v3-nano"], ["v3-nano"]):
        model = build(variant(name), 0).eval().to(setting.device)
        with tempfile.TemporaryDirectory() as folder:
            for kind in setting.pick(CARRIED, CARRIED[:2]):
                config = ExportConfig(formats=(kind,), image_size=side)
                try:
                    (artifact,) = export(model, config, Path(folder), name, name)
                except ThesisError as error:
                    answers.row("not written", variant=name, format=kind, why=error.message[:160])
                    continue
                parity = float("nan") if artifact.parity is None else artifact.parity
                answers.row("written", variant=name, format=kind, parity=parity)
                if FORMATS[kind].engine == "onnxruntime":
                    _compare(setting, answers, model, artifact.path, kind, name, side, runs)


def _compare(
    setting: Setting,
    answers: Answers,
    model: Detector,
    path: Path,
    kind: str,
    name: str,
    side: int,
    runs: int,
) -> None:
    """Compare the file at PATH, computed by ONNX Runtime on the device, with MODEL there."""
    images = pictures(1, side)
    try:
        engine = open_file(path, device=setting.device.type)
    except ThesisError as error:
        answers.row("not run", variant=name, format=kind, why=error.message[:160])
        return
    own = PyTorchEngine(model, model.config)
    pairs = zip(_answer(own, images), _answer(engine, images), strict=True)
    boxes, scores = (float((wanted - given).abs().max()) for wanted, given in pairs)
    spent = {one.name: _milliseconds(one, images, runs) for one in (own, engine)}
    answers.row(
        "ONNX Runtime on the device",
        variant=name,
        format=kind,
        boxes=boxes,
        scores=scores,
        torch_ms=spent[own.name],
        onnxruntime_ms=spent[engine.name],
    )


def _answer(engine: Engine, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
    with engine.ready():
        answer = engine(images.to(engine.device))
    return answer.boxes.float().cpu(), answer.scores.float().cpu()


def _milliseconds(engine: Engine, images: torch.Tensor, runs: int) -> float:
    """Median of RUNS passes, from bytes on the host to answers on it."""
    spent = []
    with engine.ready():
        for _ in range(runs + 5):
            wait(engine.device)
            spent.append(
                clocked(lambda pixels: engine(pixels).scores.cpu(), images.to(engine.device))
            )
    return float(np.median(spent[5:]))
