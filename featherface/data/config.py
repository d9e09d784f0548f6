"""Settings of the synthetic set. Lean: imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from featherface.checks import require


@dataclass(frozen=True, kw_only=True)
class SyntheticConfig:
    """Size and content of the set that is drawn locally from a seed."""

    image_size: int = 160
    """Side of each square picture, pixels."""
    train_images: int = 320
    """Pictures in the train split."""
    val_images: int = 80
    """Pictures in the validation split."""
    smallest_face: int = 12
    """Width of the smallest face drawn, pixels."""
    largest_face: int = 80
    """Width of the largest face drawn, pixels; at most 0.7 of the picture is used."""
    crowd: int = 10
    """Most faces in one picture."""
    seed: int = 0
    """Everything drawn follows from it."""

    def __post_init__(self) -> None:
        size = self.image_size
        require(64 <= size <= 2048, "data.synthetic.image_size", size, "from 64 to 2048 pixels")
        for name in ("train_images", "val_images", "crowd"):
            value = getattr(self, name)
            require(1 <= value <= 100_000, f"data.synthetic.{name}", value, "from 1 to 100000")
        smallest, largest = self.smallest_face, self.largest_face
        require(smallest >= 8, "data.synthetic.smallest_face", smallest, "8 pixels or more")
        require(
            largest >= smallest,
            "data.synthetic.largest_face",
            largest,
            f"at least smallest_face ({smallest})",
        )
        require(self.seed >= 0, "data.synthetic.seed", self.seed, "0 or more")
