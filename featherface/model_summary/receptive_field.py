"""Theoretical receptive field of every feature map, followed operator by operator.

The theoretical receptive field (Araujo, Norris and Sim, 2019,
https://distill.pub/2019/computing-receptive-fields) of the convolutions and poolings; what looks
at the whole picture at once (global pooling, linear attention) is marked, and what a deformable
convolution's taps can reach beyond their grid is left out, since it is learnt.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from featherface.networks.attention.linear_attention import LinearAttentionRead
from featherface.networks.layers.deformable import DeformableConv

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

OPERATORS = torch.ops.aten
KERNEL = 3
"""Side of a deformable convolution's grid."""


@dataclass(frozen=True)
class FieldOfView:
    """The pixels of one axis that position i of a map depends on: i jump + low to i jump + high."""

    low: float = 0
    high: float = 0
    jump: float = 1
    """Pixels between the windows of neighbouring positions."""
    whole: bool = False
    """Whether it depends on the whole picture too, through a global pooling or attention."""
    local: bool = True
    """Whether it depends on a window at all."""

    @property
    def size(self) -> int:
        """Pixels of the window's side."""
        return round(self.high - self.low) + 1

    def window(self, kernel: int, stride: int, padding: int, dilation: int) -> FieldOfView:
        """Return the span behind a sliding window."""
        low = self.low - padding * self.jump
        high = self.high + (dilation * (kernel - 1) - padding) * self.jump
        return replace(self, low=low, high=high, jump=self.jump * stride)

    def shifted(self, before: int) -> FieldOfView:
        """Return the span behind BEFORE positions of padding."""
        move = before * self.jump
        return replace(self, low=self.low - move, high=self.high - move)

    def enlarged(self, factor: int) -> FieldOfView:
        """Return the span behind a repetition of every position."""
        jump = self.jump / factor
        return replace(self, low=self.low - (factor - 1) * jump, jump=jump)


ALL = FieldOfView(whole=True, local=False)
"""What a global pooling sees."""


def joined(first: FieldOfView, second: FieldOfView) -> FieldOfView:
    """Return what a map sees that is computed from two, position by position."""
    whole = first.whole or second.whole
    if not (first.local and second.local):
        return replace(first if first.local else second, whole=whole)
    return FieldOfView(min(first.low, second.low), max(first.high, second.high), first.jump, whole)


class _OperatorRules:
    """The rules of `SpanMode`.

    Apart from it, since PyTorch imports its whole compiler (four seconds) at the first operator
    that meets a mode with a `__torch_dispatch__` in its own body.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: Any = WeakTensorKeyDictionary()
        self._entering: dict[nn.Module, FieldOfView | None] = {}

    def begin(self, picture: Tensor) -> None:
        """Let PICTURE be what is looked at."""
        self._known[picture] = FieldOfView()

    def span(self, tensor: Tensor) -> FieldOfView | None:
        """Return what TENSOR sees; None where it does not depend on the picture."""
        known: FieldOfView | None = self._known.get(tensor)
        return known

    def watch(self, model: nn.Module) -> list[RemovableHandle]:
        """Take the blocks of MODEL as wholes whose operators do not tell how far they see."""
        blocks = [
            block
            for block in model.modules()
            if isinstance(block, DeformableConv | LinearAttentionRead)
        ]
        before = [block.register_forward_pre_hook(self._enter) for block in blocks]
        return before + [block.register_forward_hook(self._leave, prepend=True) for block in blocks]

    def _enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._entering[module] = self.span(inputs[0])

    def _leave(self, module: nn.Module, _inputs: Any, output: Tensor) -> None:
        span = self._entering.pop(module)
        if span is not None:
            attends = isinstance(module, LinearAttentionRead)
            grid = span.window(KERNEL, 1, 1, 1)
            self._known[output] = replace(span, whole=True) if attends else grid

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        given = [tensor for tensor in _flat(args) if tensor in self._known]
        if given:
            for tensor in _flat((output,)):
                self._known[tensor] = self._behind(func.overloadpacket, args, given, tensor)
        return output

    def _behind(self, operator: Any, args: Any, given: list[Tensor], output: Tensor) -> FieldOfView:
        span: FieldOfView = self._known[given[0]]
        for other in given[1:]:
            span = joined(span, self._known[other])
        if not span.local:
            return span
        if operator is OPERATORS.convolution:
            kernel = args[1].shape[-1]
            return span.window(kernel, *(sides[-1] for sides in args[3:6]))
        if operator is OPERATORS.max_pool2d_with_indices:
            padding = args[3][-1] if len(args) > 3 else 0
            return span.window(args[1][-1], args[2][-1], padding, 1)
        if operator is OPERATORS.constant_pad_nd:
            return span.shifted(args[1][0])
        if operator is OPERATORS.upsample_nearest2d:
            return span.enlarged(output.shape[-1] // given[0].shape[-1])
        return span if _keeps_positions(given, output) else ALL


class FieldOfViewMode(_OperatorRules, TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the spans of all maps inside the block."""


def _flat(values: Any) -> list[Tensor]:
    """Return the tensors among VALUES, and those in the lists and tuples among them."""
    nested = ([value] if isinstance(value, Tensor) else value for value in values)
    members = itertools.chain.from_iterable(
        value for value in nested if isinstance(value, list | tuple)
    )
    return [member for member in members if isinstance(member, Tensor)]


def _keeps_positions(given: list[Tensor], output: Tensor) -> bool:
    """Whether OUTPUT has a number for each position of the largest map it was made from."""
    largest = max(
        given, key=lambda tensor: tensor.shape[-1] * tensor.shape[-2] if tensor.dim() > 3 else 0
    )
    return output.dim() > 3 and output.shape[-2:] == largest.shape[-2:]
