"""The checks by name, and the expected counts. Lean: the command line reads them here."""

from __future__ import annotations

from dataclasses import dataclass

CHECKS: dict[str, str] = {
    "counts": "parameters as in the table, components that add up",
    "forward": "finite answers of the right shapes, for sizes and batches",
    "modes": "training moves statistics, evaluation does not, pictures of a batch do not meet",
    "gradients": "the gradient reaches every parameter, and none is dead",
    "types": "float64, bfloat16, half and CUDA, where they are there",
    "determinism": "the same seed, the same weights; the same picture, the same answer",
    "memory": "what a forward pass and a training step hold at once",
    "export": "an ONNX file whose answers are the network's to 1e-4",
}
"""Name -> what it holds."""
QUICK = tuple(name for name in CHECKS if name != "export")
"""Those that a quick validation does, on small pictures."""


@dataclass(frozen=True)
class Count:
    """How many parameters a variant may have."""

    least: int
    most: int

    @property
    def exact(self) -> bool:
        """Whether one number alone is right."""
        return self.least == self.most


def _exactly(number: int) -> Count:
    return Count(number, number)


COUNTS: dict[str, Count] = {
    "v1-official": _exactly(592_371),
    "v1": _exactly(488_664),
    "v1-489k": _exactly(489_015),
    "eca-cbam": _exactly(476_345),
    "eca-cbam-parallel": _exactly(476_345),
    "v2-coordatt": _exactly(493_095),
    "retinaface-mnet025": _exactly(426_608),
    "retinaface-1mb": _exactly(426_608),
    "v2": Count(253_440, 258_560),  # 256K, one per cent either way
    "v2-ultra": Count(1, 249_999),
    "v2-plus": Count(1, 488_999),
    "v2-vit": Count(1, 285_000),
    "v3-nano": Count(1, 149_999),
}
"""Variant -> what was published or is aimed at."""


@dataclass(frozen=True, kw_only=True)
class CheckOutcome:
    """What one check of one network gave."""

    variant: str
    check: str
    status: str
    """pass or fail."""
    detail: str
    """What was seen; why it failed."""
    seconds: float
