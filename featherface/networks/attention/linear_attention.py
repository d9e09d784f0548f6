"""Attention whose time and memory grow with the number of tokens, not with its square.

Katharopoulos et al., 2020, https://arxiv.org/abs/2006.16236: with a positive feature map φ in
place of softmax, out = φ(q) Σ φ(k)vᵀ / φ(q) Σ φ(k), and the sums over all tokens are taken once.
φ is elu + 1, as in the paper.

Differs from the paper: the same result is reached by first averaging the values for each key
channel and then mixing these averages. Every number stays of the size of a value, in half
precision too, whatever the number of tokens. Heads are blocks of one matrix, and positions keep
their two axes: no reshape writes a picture's size into an exported file.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from featherface.networks.layers.convolution import norm_convolution

if TYPE_CHECKING:
    from collections.abc import Sequence


class KeyValueSum(NamedTuple):
    """What the tokens of a picture say, summed over them."""

    products: Tensor
    """(B,d,d): φ(k) vᵀ."""
    keys: Tensor
    """(B,d): φ(k)."""


def positive(features: Tensor) -> Tensor:
    """Return φ of FEATURES: elu + 1."""
    return functional.elu(features) + 1


def remember(keys: Tensor, values: Tensor) -> KeyValueSum:
    """Sum KEYS and VALUES (B,d,H,W) over their positions."""
    keys = positive(keys)
    rows = keys.permute(0, 2, 1, 3) @ values.permute(0, 2, 3, 1)  # (B,H,d,W) (B,H,W,d)
    return KeyValueSum(rows.sum(1), keys.sum((2, 3)))


class LinearAttentionRead(nn.Module):
    """What queries find in a memory, HEADS blocks of WIDTH channels apart."""

    heads: Tensor

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        block = torch.arange(width) // (width // heads)
        same = (block[:, None] == block).float()  # (d,d): one inside a head, else zero
        self.register_buffer("heads", same, persistent=False)

    @property
    def products(self) -> int:
        """Multiply-accumulates per position, the memory's own included."""
        return 3 * len(self.heads) ** 2

    def forward(self, queries: Tensor, memory: KeyValueSum) -> Tensor:
        """Return what each position of QUERIES (B,d,H,W) finds, same shape."""
        products, keys = memory
        averages = products / keys[:, :, None] * self.heads  # (B,d,d)
        shares = (keys / keys.sum(1, keepdim=True))[:, None, None]  # (B,1,1,d)
        weights = positive(queries).permute(0, 2, 3, 1) * shares  # (B,H,W,d)
        weights = weights / (weights @ self.heads)
        return (weights @ averages[:, None]).permute(0, 3, 1, 2)


class LinearAttention(nn.Module):
    """Every position of a map looks at all others."""

    def __init__(self, channels: int, width: int, heads: int) -> None:
        super().__init__()
        self.project = norm_convolution(channels, 3 * width, 1)
        self.recall = LinearAttentionRead(width, heads)
        self.merge = norm_convolution(width, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return what the positions of FEATURES (B,C,H,W) find, same shape."""
        return self.answer(*self.ask(features))

    def ask(self, features: Tensor) -> tuple[Tensor, KeyValueSum]:
        """Return the queries (B,width,H,W) of FEATURES, and what they add to a memory."""
        queries, keys, values = self.project(features).chunk(3, 1)
        return queries, remember(keys, values)

    def answer(self, queries: Tensor, memory: KeyValueSum) -> Tensor:
        """Return what QUERIES find in MEMORY, as wide as the features were."""
        recalled: Tensor = self.merge(self.recall(queries, memory))
        return recalled


class CrossAttention(nn.Module):
    """Every position of every map looks at all positions of all maps.

    Each of LEVELS maps has projections of its own, and the memory is the sum over maps: looking
    across costs no more than looking inside each.
    """

    def __init__(self, levels: int, channels: int, width: int, heads: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(LinearAttention(channels, width, heads) for _ in range(levels))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return what the positions of MAPS (B,C,H,W) find, same shapes."""
        levels = [level for level in self.levels if isinstance(level, LinearAttention)]
        asked = [level.ask(feature_map) for level, feature_map in zip(levels, maps, strict=True)]
        memories = [memory for _, memory in asked]
        memory = KeyValueSum(
            *(functools.reduce(torch.add, sums) for sums in zip(*memories, strict=True))
        )
        return [
            level.answer(queries, memory) for level, (queries, _) in zip(levels, asked, strict=True)
        ]
