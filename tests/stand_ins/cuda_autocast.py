"""CUDA's autocast, in real half precision, on machines without CUDA.

The CPU's autocast has other lists. These are CUDA's, from PyTorch's documentation of autocast:
https://pytorch.org/docs/stable/amp.html#cuda-op-specific-behavior
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_iter, tree_map

if TYPE_CHECKING:
    from collections.abc import Callable

HALVED = {
    *("conv1d", "conv2d", "conv3d", "linear", "matmul", "__matmul__", "__rmatmul__", "mm", "bmm"),
    *("addmm", "baddbmm", "addbmm", "einsum", "prelu", "mv", "addmv", "addr"),
    "scaled_dot_product_attention",
}
"""Computed in half precision, whatever comes in."""
WHOLE = {
    *("exp", "expm1", "pow", "__pow__", "__rpow__", "__rtruediv__", "sum", "prod", "softmax"),
    *("log_softmax", "log", "log2", "log10", "log1p", "norm", "normalize", "rsqrt", "reciprocal"),
    *("cumsum", "cumprod", "layer_norm", "group_norm", "softplus", "cosine_similarity", "cdist"),
    *("acos", "asin", "tan", "sinh", "cosh", "binary_cross_entropy_with_logits", "mse_loss"),
    *("l1_loss", "smooth_l1_loss", "kl_div", "nll_loss", "cross_entropy"),
}
"""Computed in single precision."""
WIDEST = {
    *("cat", "stack", "addcmul", "addcdiv", "atan2", "bilinear", "dot", "index_put"),
    *("scatter_add", "grid_sample", "cross", "tensordot"),
}
"""Computed in the widest of what comes in."""


class CudaAutocast(TorchFunctionMode):
    """A context in which floating-point operations run in DTYPE as under CUDA's autocast."""

    largest = 0.0
    """Magnitude of the largest number that any operation gave in half precision."""

    def __init__(self, _device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Cast as the lists say."""
        del types
        name, given = getattr(func, "__name__", ""), (args, kwargs or {})
        if name in HALVED:
            given = tree_map(_into(self.dtype), given)
        elif name in WHOLE or (name in WIDEST and _any_single(given)):
            given = tree_map(_into(torch.float32), given)
        made = func(*given[0], **given[1])
        self._measure(made)
        return made

    def _measure(self, made: Any) -> None:
        if isinstance(made, torch.Tensor) and made.dtype == self.dtype and made.numel():
            with torch._C.DisableTorchFunction():
                most = made.detach().float().abs().max().item()
            CudaAutocast.largest = max(most, CudaAutocast.largest)


def _into(dtype: torch.dtype) -> Callable[[Any], Any]:
    def cast(one: Any) -> Any:
        fits = isinstance(one, torch.Tensor) and one.dtype in {torch.float16, torch.bfloat16}
        fits |= isinstance(one, torch.Tensor) and one.dtype == torch.float32
        return one.to(dtype) if fits else one

    return cast


def _any_single(given: Any) -> bool:
    return any(
        isinstance(one, torch.Tensor) and one.dtype == torch.float32 for one in tree_iter(given)
    )
