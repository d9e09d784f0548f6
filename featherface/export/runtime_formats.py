"""Networks in files of other runtimes than ONNX Runtime, one picture of one size at a time.

A plain copy of the network is handed to the converter as a file, in a process of its own: of the
Python that has it, whatever versions it wants, and whatever it prints.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from featherface.engines.onnx_runtime import INPUT, OUTPUTS
from featherface.errors import UnavailableError
from featherface.export.calibration import sized_inputs
from featherface.export.conversion_tools import TOOLS
from featherface.export.formats import FORMATS
from featherface.export.onnx_metadata import metadata as metadata_of
from featherface.export.quiet import quiet
from featherface.export.rewrites import GRID, LOOKUPS, plain
from featherface.filesystem.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import nn

    from featherface.export.conversion_tools import ConversionTool
    from featherface.export.formats import WriterSettings
    from featherface.networks.detector import Detector

PROGRAM, ONNX, TORCHSCRIPT = "program", "onnx", "torchscript"
"""Ways to hand a network over: a saved `torch.export`, an ONNX file, TorchScript."""
START = (
    "import runpy, sys; sys.path.append(sys.argv.pop(1));"
    " runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
"""What the other Python is told to do: our packages come behind its own."""
SCRIPTS = "featherface.export.conversion_scripts"
ROOT = Path(__file__).resolve().parents[2]
ENDING = ".json"
"""Of the file beside one that can't hold what it is of."""


@dataclass(frozen=True, kw_only=True)
class RuntimeFormat:
    """How a network becomes a file of one format."""

    tool: str
    handed: str = PROGRAM
    sampling: str = LOOKUPS
    """How deformable convolution is written."""
    precision: str = "fp32"
    told_beside: bool = False
    """Whether what the file is of lies in FILE.json beside it."""


RUNTIME_FORMATS: dict[str, RuntimeFormat] = {
    "tflite": RuntimeFormat(tool="litert"),
    "tflite-fp16": RuntimeFormat(tool="litert", precision="fp16"),
    "tflite-int8": RuntimeFormat(tool="litert", precision="int8"),
    "openvino": RuntimeFormat(tool="openvino", handed=ONNX),
    "executorch": RuntimeFormat(tool="executorch", told_beside=True),
    "coreml": RuntimeFormat(tool="coreml"),
    "ncnn": RuntimeFormat(tool="ncnn", handed=TORCHSCRIPT, sampling=GRID),
    "tensorrt": RuntimeFormat(tool="tensorrt", handed=ONNX, told_beside=True),
}
"""Format -> how it is written; a subset of `featherface.export.formats.FORMATS`."""


def write_runtime_format(
    kind: str, model: Detector, path: Path, settings: WriterSettings, variant_name: str
) -> dict[str, Any]:
    """Write MODEL to PATH in the format KIND, for pictures of `settings.image_size`.

    Returns:
        What the manifest tells of it: its one size, the tool's name, what is left alone in 8 bits.

    Raises:
        UnavailableError: the tool is missing, or can't convert this network.
        UsageError: the size is no multiple of 32.
    """
    form = RUNTIME_FORMATS[kind]
    tool, size = TOOLS[form.tool], (settings.image_size, settings.image_size)
    python = require_tool(kind)
    network = plain(model, size, form.sampling)
    metadata = metadata_of(model, settings, variant_name, kind) | {
        "size_multiple": "0",
        "height": str(size[0]),
        "width": str(size[1]),
    }
    with tempfile.TemporaryDirectory() as folder, replacing(path) as temporary:
        place = Path(folder)
        told = place / "told.json"
        job: dict[str, Any] = {"do": "convert", "output": str(temporary), "size": size}
        job["told"] = str(told)
        job |= {"precision": form.precision, "metadata": metadata, "threads": 0}
        job[form.handed] = str(_hand_over(network, form.handed, size, settings.opset, place))
        if form.precision == "int8":
            pictures = sized_inputs(settings, model.config, size)
            np.savez(place / "calibration.npz", images=pictures)
            job["calibration"] = str(place / "calibration.npz")
        _start(python, tool, job, place)
        found = json.loads(told.read_text(encoding="utf-8")) if told.is_file() else {}
    if form.told_beside:
        text = json.dumps(metadata, indent=2) + "\n"
        with replacing(path.with_name(path.name + ENDING)) as beside:
            beside.write_text(text, encoding="utf-8")
    return {"fixed_size": list(size), "tool": tool.title, **found}


def require_tool(kind: str) -> Path:
    """Return the Python that has the tool of the format KIND.

    Raises:
        UnavailableError: none has; the hint installs it, or makes its environment.
    """
    tool = TOOLS[RUNTIME_FORMATS[kind].tool]
    python = tool.python()
    if python is None:
        raise UnavailableError(
            f"{FORMATS[kind].title} needs {tool.title}, which is not here", FORMATS[kind].install
        )
    return python


def converter_here(kind: str) -> bool:
    """Whether what converts to the format KIND is here; of formats that need none it always is."""
    return kind not in RUNTIME_FORMATS or TOOLS[RUNTIME_FORMATS[kind].tool].python() is not None


def runs_here(kind: str) -> bool:
    """Whether this system runs files of the format KIND by the tool that writes them."""
    return kind in RUNTIME_FORMATS and TOOLS[RUNTIME_FORMATS[kind].tool].runs_here


class ConvertedNetwork:
    """A written file, run by the tool that wrote it; in another process, a picture at a time."""

    def __init__(self, kind: str, path: Path, threads: int = 0) -> None:
        self.kind, self.path, self.threads = kind, path, threads
        self.milliseconds = 0.0
        """Median of the passes that the last call asked for."""

    def __call__(self, images: NDArray[np.float32], passes: int = 0) -> dict[str, Any]:
        """Return the outputs by name for IMAGES (B,3,H,W), and time PASSES more of the first."""
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            np.savez(place / "pictures.npz", images=images)
            job = {
                "do": "run",
                "model": str(self.path),
                "pictures": str(place / "pictures.npz"),
                "answers": str(place / "answers.npz"),
                "passes": passes,
                "threads": self.threads,
            }
            tool = TOOLS[RUNTIME_FORMATS[self.kind].tool]
            _start(require_tool(self.kind), tool, job, place)
            with np.load(place / "answers.npz") as answers:
                self.milliseconds = float(answers["milliseconds"])
                return {name: answers[name] for name in OUTPUTS}


def _start(python: Path, tool: ConversionTool, job: dict[str, Any], place: Path) -> None:
    """Let PYTHON do the JOB.

    Raises:
        UnavailableError: it fails; the message is its last line.
    """
    asked = place / "job.json"
    asked.write_text(json.dumps(job), encoding="utf-8")
    module = f"{SCRIPTS}.{tool.script}"
    command = [str(python), "-c", START, str(ROOT), module, str(asked)]
    done = subprocess.run(  # noqa: S603 - our own program
        command, capture_output=True, check=False, encoding="utf-8", errors="replace"
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        raise UnavailableError(
            f"{tool.title} failed to {job['do']} the network: {lines[-1].strip()}",
            "the formats that it writes depend on its version: thesis doctor shows what is here",
        )


def _hand_over(
    network: nn.Module, handed: str, size: tuple[int, int], opset: int, folder: Path
) -> Path:
    """Write NETWORK to a file in FOLDER that another Python reads."""
    pictures = torch.zeros(1, 3, *size)
    writers: dict[str, Callable[[Path], None]] = {
        PROGRAM: lambda path: _save_program(network, pictures, path),
        ONNX: lambda path: save_onnx(network, size, opset, path),
        TORCHSCRIPT: lambda path: torch.jit.trace(network, pictures).save(str(path)),  # type: ignore[no-untyped-call]
    }
    path = (
        folder / {PROGRAM: "network.pt2", ONNX: "network.onnx", TORCHSCRIPT: "network.pt"}[handed]
    )
    with torch.no_grad(), quiet(""):
        writers[handed](path)
    return path


def _save_program(network: nn.Module, pictures: torch.Tensor, path: Path) -> None:
    program = torch.export.export(network, (pictures,)).run_decompositions({})
    torch.export.save(program, path)


def save_onnx(network: nn.Module, size: tuple[int, int], opset: int, path: Path) -> None:
    """Write a plain NETWORK to PATH as ONNX, for one picture of SIZE."""
    with torch.no_grad(), quiet(""):
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, *size),),
            path,
            dynamo=True,
            external_data=False,
            opset_version=opset,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            verbose=False,
        )
