"""Positive and negative priors of a batch, and hard negative mining.

On the CPU they are looked up and the rest is left alone. To know how many there are, an
accelerator would have to be waited for while it has nothing to do: there every prior is a row, and
those that are not selected are given harmless numbers and counted out in the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from torch import Tensor


class PriorSelection(Protocol):
    """Priors of a batch; its rows `...` are (K,), the selected, or (B, P), all of them."""

    @property
    def count(self) -> int | Tensor:
        """How many are selected."""

    def rows(self, values: Tensor) -> Tensor:
        """Return the rows (..., n) of VALUES (B, P, n), or (...) of (B, P); 0 if not selected."""

    def learnt(self, faces: Tensor, face: Tensor, otherwise: Tensor | None = None) -> Tensor:
        """Return what each row learns: (..., n) of FACES (B, G, n), or (...) of (B, G).

        FACE (B, P) is the one that a prior learns; OTHERWISE (P, n) stands in for rows that are
        not selected, where 0 would not do.
        """

    def priors(self, priors: Tensor) -> Tensor:
        """Return PRIORS (P, 4) as they belong to the rows."""

    def narrowed(self, kept: Tensor) -> PriorSelection:
        """Return those whose row of KEPT (...) is true."""

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of VALUES (..., n) over the selected."""

    def spread(self, values: Tensor) -> Tensor:
        """Return VALUES (...) at their priors' places (B, P), 0 elsewhere."""


def looked_up(device: torch.device) -> bool:
    """Whether numbers on DEVICE can be looked at without waiting for it."""
    return device.type == "cpu"


def select(mask: Tensor) -> PriorSelection:
    """Select the priors where MASK (B, P) is true."""
    if looked_up(mask.device):
        return GatheredPriors(mask.shape, *mask.nonzero(as_tuple=True))
    return MaskedPriors(mask)


@dataclass(frozen=True, eq=False)
class GatheredPriors:
    """Rows of the selected alone."""

    shape: torch.Size
    """Pictures and priors."""
    picture: Tensor
    """(K,)."""
    prior: Tensor
    """(K,)."""

    @property
    def count(self) -> int:
        """How many are selected."""
        return len(self.picture)

    def rows(self, values: Tensor) -> Tensor:
        """Return the rows of VALUES."""
        return values[self.picture, self.prior]

    def learnt(self, faces: Tensor, face: Tensor, otherwise: Tensor | None = None) -> Tensor:
        """Return what each row learns."""
        del otherwise
        return faces[self.picture, self.rows(face)]

    def priors(self, priors: Tensor) -> Tensor:
        """Return PRIORS as they belong to the rows."""
        return priors[self.prior]

    def narrowed(self, kept: Tensor) -> GatheredPriors:
        """Return those whose row of KEPT is true."""
        return GatheredPriors(self.shape, self.picture[kept], self.prior[kept])

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of VALUES over the selected."""
        return values.sum()

    def spread(self, values: Tensor) -> Tensor:
        """Return VALUES at their priors' places."""
        return values.new_zeros(self.shape).index_put((self.picture, self.prior), values)


@dataclass(frozen=True, eq=False)
class MaskedPriors:
    """Rows of all priors, of which MASK tells the selected."""

    mask: Tensor
    """(B, P)."""

    @property
    def count(self) -> Tensor:
        """How many are selected."""
        return self.mask.sum()

    def rows(self, values: Tensor) -> Tensor:
        """Return the rows of VALUES."""
        return torch.where(self._like(values), values, 0.0)

    def learnt(self, faces: Tensor, face: Tensor, otherwise: Tensor | None = None) -> Tensor:
        """Return what each row learns."""
        if faces.shape[1] == 0:
            faces = faces.new_zeros(len(faces), 1, *faces.shape[2:])
        wide = faces.ndim > face.ndim
        index = face[..., None].expand(-1, -1, faces.shape[2]) if wide else face
        taken = faces.gather(1, index)
        return taken if otherwise is None else torch.where(self._like(taken), taken, otherwise)

    def priors(self, priors: Tensor) -> Tensor:
        """Return PRIORS as they belong to the rows."""
        return priors

    def narrowed(self, kept: Tensor) -> MaskedPriors:
        """Return those whose row of KEPT is true."""
        return MaskedPriors(self.mask & kept)

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of VALUES over the selected."""
        return self.rows(values).sum()

    def spread(self, values: Tensor) -> Tensor:
        """Return VALUES at their priors' places."""
        return self.rows(values)

    def _like(self, values: Tensor) -> Tensor:
        return self.mask if values.ndim == self.mask.ndim else self.mask[..., None]
