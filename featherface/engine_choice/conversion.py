"""A network as another engine computes it: written to a file on the fly, checked, and opened."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from featherface.engines.engine import Engine
from featherface.engines.opening import CPU, check_engine_here, open_file
from featherface.engines.pytorch import PyTorchEngine
from featherface.engines.table import ENGINES, TORCH
from featherface.errors import UnavailableError, UsageError, WeightsError
from featherface.export.deployed import deployed
from featherface.export.formats import FORMATS, ExportConfig, WriterSettings
from featherface.export.writing import WRITERS
from featherface.filesystem.atomic import remove
from featherface.networks import detector
from featherface.source.cache_entries import CODE, entry_path, read_entry
from featherface.source.definitions import definition_digest

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.engines.engine import Answer
    from featherface.export.writing import Writer
    from featherface.networks.detector import Detector

CHECK = ExportConfig()
"""How a converted network is written, and the tolerance that it is held to."""
CHECKED = (96, 160)
"""Height and width in pixels of the pictures on which it is compared with PyTorch."""
LIBRARIES = ("torch", "onnx", "onnxscript")
"""Distributions that write a file."""
KEPT = "engines"
"""Folder, in the workspace's cache, of converted networks."""


class ConvertedEngine(Engine):
    """A network of this program in a file that another engine computes."""

    def __init__(
        self,
        inner: Engine,
        network: str,
        parity: float,
        place: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        super().__init__(inner.config, inner.device)
        self.name = inner.name
        self.inner, self.parity = inner, parity
        """What computes, and how far at most its answers are from PyTorch's."""
        self._network, self._place = network, place  # the folder goes when this engine does

    @property
    def computes_on(self) -> torch.device:
        """What does the work."""
        return self.inner.computes_on

    @property
    def fixed_size(self) -> tuple[int, int] | None:
        """Height and width in pixels that it takes alone; None for any."""
        return self.inner.fixed_size

    def __call__(self, pictures: Tensor) -> Answer:
        """Look at PICTURES (B,3,H,W)."""
        return self.inner(pictures)

    def side_by_side(self) -> tuple[Engine, int]:
        """Return what computes for many pictures, and how many threads may call it at once."""
        inner, threads = self.inner.side_by_side()
        if inner is self.inner:
            return self, threads
        return ConvertedEngine(inner, self._network, self.parity, self._place), threads

    def fingerprint(self) -> str:
        """Hash engine and network, not the file: who makes it again goes on with what is there."""
        return hashlib.sha256(f"{self.name} {self._network}".encode()).hexdigest()


def convert(
    model: Detector,
    variant_name: str,
    engine: str,
    *,
    folder: Path | None = None,
    threads: int = 0,
    device: str = CPU,
) -> Engine:
    """Return MODEL as ENGINE computes it on DEVICE, once its answers are PyTorch's.

    The file lies in FOLDER, named by the network and the code that writes it, where it is found
    the next time; without one it is removed when the engine is.

    Raises:
        UnavailableError: ENGINE is not installed, or its answers differ from PyTorch's by more
            than the tolerance of an export.
        UsageError: ENGINE does not compute on DEVICE.
    """
    if engine == TORCH:
        return PyTorchEngine(model)
    check_engine_here(engine, device)
    kind = format_for(engine)
    writer, suffix = WRITERS[kind], FORMATS[kind].suffix
    reference = PyTorchEngine(deployed(model))
    network = reference.fingerprint()
    place = None
    if folder is None:
        place = tempfile.TemporaryDirectory(prefix="network-", ignore_cleanup_errors=True)
        path = Path(place.name) / f"network{suffix}"
    else:
        path = _kept_path(folder, writer, (network, variant_name, engine), suffix)
    inner = _kept(path, threads, device)
    if inner is None:
        writer(model, path, WriterSettings(opset=CHECK.opset), variant_name)
        inner = open_file(path, threads, device)
    parity = largest_difference(inner, reference)
    if not parity <= CHECK.tolerance:
        remove(path)
        raise UnavailableError(
            f"{ENGINES[engine].title} gives other answers than PyTorch, by {parity:.2g} at most;"
            f" {CHECK.tolerance:g} is allowed",
            f"take PyTorch: --engine {TORCH}; another version of {engine} may help: thesis doctor",
        )
    return ConvertedEngine(inner, network, parity, place)


def _kept(path: Path, threads: int, device: str) -> Engine | None:
    """Open what was converted earlier; None where there is nothing, or nothing whole."""
    if read_entry(path) is None:
        return None
    try:
        return open_file(path, threads, device)
    except WeightsError:  # damaged since
        return None


def largest_difference(engine: Engine, reference: Engine) -> float:
    """Return by how much scores and box deltas of two engines differ at most, on two pictures."""
    pictures = torch.cat([_picture(seed, engine.fixed_size or CHECKED) for seed in (0, 1)])
    with engine.ready(), reference.ready():
        given, wanted = engine(pictures), reference(pictures)
    pairs = ((given.boxes, wanted.boxes), (given.scores, wanted.scores))
    return max((one.float() - other.float()).abs().max().item() for one, other in pairs)


def _picture(seed: int, size: tuple[int, int]) -> Tensor:
    """Draw noise of two scales less a mean: (1,3,H,W)."""
    generator = torch.Generator().manual_seed(seed)
    height, width = size
    coarse = torch.randn(1, 3, -(-height // 16), -(-width // 16), generator=generator)
    large = torch.nn.functional.interpolate(coarse, scale_factor=16)[..., :height, :width]
    return 40 * large + 20 * torch.randn(1, 3, height, width, generator=generator)


def format_for(engine: str) -> str:
    """Return the name of the format in which networks are given to ENGINE.

    Raises:
        UsageError: no format of this version is for it.
    """
    for name, kind in FORMATS.items():
        if kind.suffix in ENGINES[engine].suffixes and name in WRITERS:
            return name
    raise UsageError(
        f"no format of this version is for {ENGINES[engine].title}",
        f"choose among: {', '.join(ENGINES)}",
    )


def _kept_path(folder: Path, writer: Writer, inputs: tuple[str, ...], suffix: str) -> Path:
    """Return the file in FOLDER for what WRITER makes of a network."""
    code = definition_digest(detector.build, folder.parent / CODE)  # its blocks, traced
    return entry_path(
        folder,
        writer,
        [*inputs, str(CHECK.opset), code],
        libraries=LIBRARIES,
        suffix=suffix,
    )
