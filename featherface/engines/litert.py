"""LiteRT as an engine: .tflite files that `featherface.export` wrote, each for one size."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from featherface.engines.engine import Answer, Engine
from featherface.engines.file_checks import FORMAT, check_answers, check_manifest, precision_of
from featherface.engines.onnx_runtime import INPUT, OUTPUTS
from featherface.errors import UnavailableError, UsageError, WeightsError
from featherface.evaluation.config import PROTOCOLS
from featherface.weights.network_settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from featherface.variants.config import DetectorConfig

ENTRY = b"featherface"
"""Name of the entry among a file's metadata that tells its network, as JSON."""
MULTIPLE = 32
"""What the sides of a file's size are multiples of."""
INSTALL = 'python -m pip install "thesis[litert]"'
AGAIN = "write it again: thesis export --format tflite"


class LiteRtSession:
    """LiteRT on the CPU, with its XNNPACK delegate."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Open PATH; THREADS compute, 0 leaves their number to LiteRT.

        Raises:
            UnavailableError: LiteRT is not installed.
            WeightsError: it is no file that LiteRT can run.
        """
        try:
            # Slow to import, and not everybody has it.
            from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415
        except ImportError as error:
            raise UnavailableError(
                "LiteRT, which runs .tflite files, is not here", INSTALL
            ) from error
        try:
            content = path.read_bytes()
            self.metadata = read_metadata(content)
            interpreter = Interpreter(model_content=content, num_threads=threads or None)
            self._look = interpreter.get_signature_runner()
            _, _, height, width = self._look.get_input_details()[INPUT]["shape"].tolist()
        except Exception as error:
            lines = str(error).splitlines() or [type(error).__name__]
            raise WeightsError(f"LiteRT can't run {path}: {lines[0]}", AGAIN) from error
        self._interpreter = interpreter  # what the runner works with
        self.fixed_size = (int(height), int(width))
        """Height and width in pixels that it takes alone."""

    def __call__(self, images: NDArray[np.float32]) -> dict[str, Any]:
        """Return the outputs by name for IMAGES (B,3,H,W) of its size."""
        answers = [self._look(**{INPUT: image[None]}) for image in images]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in OUTPUTS}


class LiteRtEngine(Engine):
    """A network in a file, computed by LiteRT on the CPU, a picture at a time.

    A smaller picture is filled up at the right and bottom with the mean, which is zero where the
    network takes it in; the priors out there are left out of the answer.
    """

    name = "litert"

    def __init__(self, path: Path, session: LiteRtSession, config: DetectorConfig) -> None:
        super().__init__(config, torch.device("cpu"))
        self.path = path
        self.session = session

    @property
    def stored_in(self) -> str:
        """In which precision the file was written, by the format that its metadata name."""
        return precision_of(self.session.metadata.get(FORMAT, ""))

    @property
    def fixed_size(self) -> tuple[int, int]:
        """Height and width in pixels of the file; smaller pictures are filled up to it."""
        return self.session.fixed_size

    def __call__(self, pictures: Tensor) -> Answer:
        """Look at PICTURES (B,3,H,W), no larger than the file's size.

        Raises:
            UsageError: they are larger.
        """
        size = (pictures.shape[2], pictures.shape[3])
        height, width = self.fixed_size
        if size[0] > height or size[1] > width:
            raise too_large(self.path, size, self.fixed_size)
        filled = functional.pad(pictures, (0, width - size[1], 0, height - size[0]))
        outputs = self.session(filled.numpy())
        kept = torch.from_numpy(priors_inside(self.config, self.fixed_size, size))
        boxes, scores, landmarks = (torch.from_numpy(outputs[name])[:, kept] for name in OUTPUTS)
        return Answer(boxes, scores[..., 1], landmarks)

    def fingerprint(self) -> str:
        """Hash the file (SHA-256)."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def open_file(path: Path, threads: int = 0) -> LiteRtEngine:
    """Open the file at PATH as a network, with the settings in its metadata.

    Raises:
        UnavailableError: LiteRT is not installed.
        WeightsError: it can't be run, doesn't say which network it is, or is another one.
    """
    check_manifest(path)
    session = LiteRtSession(path, threads)
    known = settings_of(session.metadata, path)
    if known is None:
        raise WeightsError(
            f"{path} doesn't say which network it is of: it was not written by this program", AGAIN
        )
    engine = LiteRtEngine(path, session, known.config)
    engine.variant = known.variant
    check_answers(engine, path)
    return engine


def too_large(path: Path, size: tuple[int, int], fixed: tuple[int, int]) -> UsageError:
    """Return what PATH, of size FIXED (height, width), says to a picture of SIZE."""
    wanted = -(-max(size) // MULTIPLE) * MULTIPLE
    flat = [
        (f"look with the longer side made {protocol.longer} pixels: --protocol {name}; or ")
        for name, protocol in PROTOCOLS.items()
        if not protocol.shorter and 0 < protocol.longer <= min(fixed)
    ]
    return UsageError(
        f"{path.name} takes pictures up to {fixed[1]}x{fixed[0]} pixels, this one has"
        f" {size[1]}x{size[0]}",
        f"{''.join(flat)}write a file for larger ones:"
        f" thesis export --format tflite --image-size {wanted}",
    )


@functools.lru_cache(maxsize=64)
def _inside(
    steps: tuple[int, ...], anchors: int, fixed: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.int64]:
    kept, first = [], 0
    for step in steps:
        rows, columns = (-(-side // step) for side in fixed)
        near = (-(-side // step) for side in size)
        numbers = np.arange(rows * columns * anchors).reshape(rows, columns, anchors) + first
        kept.append(numbers[: next(near), : next(near)].ravel())
        first += numbers.size
    return np.concatenate(kept)


def priors_inside(
    config: DetectorConfig, fixed: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.int64]:
    """Return the numbers of those priors of a picture of size FIXED that one of SIZE has too.

    Both are (height, width). In their order the answers are those of a picture of SIZE: deltas are
    in units of the prior, whose pixels are the same.
    """
    return _inside(config.prior_steps, config.anchors, fixed, size)


def read_metadata(content: bytes) -> Mapping[str, str]:
    """Return what the TFLite file CONTENT says of its network; empty where it says nothing.

    Raises:
        Exception: it is no such file; of what kind is the reader's affair.
    """
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 - as above

    model = schema.Model.GetRootAs(content, 0)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == ENTRY:
            data = model.Buffers(entry.Buffer()).DataAsNumpy()
            told: dict[str, str] = json.loads(data.tobytes())
            return told
    return {}
