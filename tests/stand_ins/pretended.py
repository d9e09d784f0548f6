"""A pretended accelerator, for tests on machines that have none.

Its tensors say that they are on the device PLACE, hold real numbers all the same, and refuse the
company of tensors of the CPU as those of CUDA do (scalars without dimension excepted). What a
program makes the host wait for is counted, by CUDA's rules:

- a download (device to host), and reading a number (`item`, `float`, `bool`, `tolist`);
- an upload (host to device) that is not `non_blocking`;
- what needs a count before it can make its result: `nonzero`, boolean indices, `unique`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from unittest import mock

import torch
from torch.optim import adam
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

PLACE = torch.device("meta")
"""Where the tensors say that they are."""
HOST = torch.device("cpu")
WAITING = (
    *("aten.nonzero.", "aten.masked_select.", "aten._local_scalar_dense.", "aten.is_nonzero."),
    *("aten.equal.", "aten._unique2.", "aten.unique_dim.", "aten.bincount."),
    "aten.repeat_interleave.Tensor",
)
"""Operators whose result's size or value the host needs."""
INDEXING = ("aten.index.", "aten.index_put", "aten._index_put")
MOVING = ("aten._to_copy.", "aten.to.")
LIFTED = ("aten.where.", *INDEXING)
"""Operators that upload a scalar of the host instead of handing it over with the launch."""
OWN = f"{os.sep}featherface{os.sep}"


@dataclass
class Tally:
    """What the host and the device had to do with each other."""

    uploads: int = 0
    """Copies from host to device."""
    downloads: int = 0
    """Copies from device to host, numbers read included."""
    stalls: int = 0
    """Times the host waited until the device had done all that it was asked."""
    places: Counter[str] = field(default_factory=Counter)
    """Of each, by what it was and the line that asked for it."""

    def upload(self, *, waits: bool) -> None:
        """Count a copy to the device."""
        self.uploads += 1
        self._note("upload")
        if waits:
            self.stall("upload")

    def download(self, *, waits: bool = True) -> None:
        """Count a copy to the host."""
        self.downloads += 1
        if waits:
            self.stall("download")

    def stall(self, kind: str) -> None:
        """Count a wait."""
        self.stalls += 1
        self._note(f"stall: {kind}")

    def clear(self) -> None:
        """Begin anew."""
        self.uploads = self.downloads = self.stalls = 0
        self.places.clear()

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Uploads, downloads and stalls."""
        return self.uploads, self.downloads, self.stalls

    def _note(self, kind: str) -> None:
        self.places[f"{kind} at {_line()}"] += 1


class Remote(torch.Tensor):
    """A tensor that says it is on PLACE; `held` has its numbers."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    held: torch.Tensor
    tally: Tally

    @staticmethod
    def __new__(cls, held: torch.Tensor, tally: Tally) -> Self:
        made = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=PLACE,
        )
        made.held, made.tally = held, tally
        return made

    def __init__(self, *_: object) -> None:
        """Leave all to `__new__`, as tensors do."""

    def __repr__(self) -> str:
        return f"Remote({tuple(self.shape)}, {self.dtype})"

    def __tensor_flatten__(self) -> tuple[list[str], Tally]:
        """Tell modules that move to exchange their tensors for these."""
        return ["held"], self.tally

    @staticmethod
    def __tensor_unflatten__(inner: dict[str, torch.Tensor], tally: Tally, *_: object) -> Self:
        """Undo `__tensor_flatten__`."""
        return Remote(inner["held"], tally)

    def __reduce_ex__(self, protocol: int) -> Any:
        """Be written to a file as a tensor of the host; what is read again is one."""
        self.tally.download()
        return self.held.__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> torch.Tensor:
        """Return a copy on the device."""
        if id(self) not in memo:
            copied = Remote(self.held.detach().clone(), self.tally)
            if isinstance(self, torch.nn.Parameter):
                copied = torch.nn.Parameter(copied, self.requires_grad)
            memo[id(self)] = copied
        return memo[id(self)]

    def tolist(self) -> Any:
        """Return the numbers, for which the host waits."""
        self.tally.download()
        return self.held.tolist()

    def numpy(self, **_: object) -> Any:
        """Refuse, as every accelerator does."""
        raise TypeError("can't convert a tensor of the device to numpy: use .cpu() first")

    @classmethod
    def __torch_dispatch__(
        cls,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Compute with the real numbers."""
        del types
        return _computed(_tally((args, kwargs)), func, args, kwargs or {})


class _Operators(TorchDispatchMode):
    """Catches what makes tensors on PLACE out of nothing."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self.tally = tally

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        return _computed(self.tally, func, args, kwargs or {})


class _Functions(TorchFunctionMode):
    """Catches what PyTorch does with lists of numbers before any operator is called."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        kwargs = dict(kwargs or {})
        if func in {torch.tensor, torch.as_tensor} and _is_place(kwargs.get("device")):
            del kwargs["device"]
            return func(*args, **kwargs).to(PLACE)
        if func is torch.Tensor.new_tensor and isinstance(args[0], Remote):
            return torch.tensor(args[1], dtype=kwargs.get("dtype", args[0].dtype)).to(PLACE)
        if func in {torch.Tensor.__getitem__, torch.Tensor.__setitem__}:
            args = (args[0], _index(args[0], args[1]), *args[2:])
        return func(*args, **kwargs)


@contextlib.contextmanager
def pretended() -> Iterator[Tally]:
    """Offer the device PLACE inside the block; yield what is counted."""
    tally = Tally()
    with contextlib.ExitStack() as stack:
        # Fused optimizers ask the device's name, as they should elsewhere.
        stack.enter_context(mock.patch.object(adam, "_device_dtype_check_for_fused"))
        stack.enter_context(_Functions())
        stack.enter_context(_Operators(tally))
        yield tally


def _computed(tally: Tally, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what FUNC makes of the real numbers, on the device where it belongs there."""
    name, given = str(func), [one for one in tree_iter((args, kwargs)) if _is_tensor(one)]
    remote = [one for one in given if isinstance(one, Remote)]
    near = [one for one in given if not isinstance(one, Remote)]
    there = _count_moves(tally, name, args, kwargs, remote)
    if there is None:
        _check_company(tally, name, remote, near)
        asked = kwargs.get("device")
        there = bool(remote) if asked is None else _is_place(asked)
        if remote:
            _count_waits(tally, name, args)
    if kwargs.get("device") is not None:
        kwargs = {**kwargs, "device": HOST}
    made = func(*tree_map(_real, args), **tree_map(_real, kwargs))
    return _placed(tally, made, remote) if there else made


def _count_moves(
    tally: Tally, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], remote: list[Remote]
) -> bool | None:
    """Count a copy between host and device; return where to it goes, None where NAME is none."""
    if name.startswith(MOVING) and kwargs.get("device") is not None:
        source, there = args[0], _is_place(kwargs["device"])
        waits = not kwargs.get("non_blocking", False)
    elif name.startswith("aten.copy_.") and remote:
        source, there = args[1], isinstance(args[0], Remote)
        waits = not (args[2] if len(args) > 2 else kwargs.get("non_blocking", False))
    else:
        return None
    if there and not isinstance(source, Remote):
        tally.upload(waits=waits)
    if not there and isinstance(source, Remote):
        tally.download(waits=waits)
    return there


def _check_company(tally: Tally, name: str, remote: list[Remote], near: list[torch.Tensor]) -> None:
    """Refuse tensors of the host beside REMOTE ones, as CUDA does."""
    if not remote or not near:
        return
    if name.startswith(INDEXING):
        tally.upload(waits=True)  # indices may be of the host: they are uploaded
        return
    sized = [tuple(one.shape) for one in near if one.dim() > 0]
    if sized:
        raise RuntimeError(
            f"expected all tensors on one device, but {name} at {_line()} found"
            f" {[tuple(one.shape) for one in remote]} on the device and {sized} on the host"
        )
    if name.startswith(LIFTED):
        tally.upload(waits=True)


def _count_waits(tally: Tally, name: str, args: tuple[Any, ...]) -> None:
    if name.startswith("aten._local_scalar_dense."):
        tally.download()
    elif name.startswith(WAITING) or (name.startswith(INDEXING) and _by_mask(args[1])):
        tally.stall(name)


def _by_mask(indices: Sequence[torch.Tensor | None]) -> bool:
    masks = (torch.bool, torch.uint8)
    return any(one is not None and one.dtype in masks for one in indices)


def _placed(tally: Tally, made: Any, given: list[Remote]) -> Any:
    """Put the tensors in MADE on the device; what was changed in place stays what it was."""
    known = {id(one.held): one for one in given}

    def put(one: Any) -> Any:
        if not _is_tensor(one) or isinstance(one, Remote):
            return one
        return known.get(id(one)) if id(one) in known else Remote(one, tally)

    return tree_map(put, made)


def _index(tensor: torch.Tensor, index: Any) -> Any:
    """Return INDEX with its lists as tensors, uploaded where TENSOR is on the device."""
    if isinstance(index, tuple):
        return tuple(_index(tensor, one) for one in index)
    if isinstance(index, list) and isinstance(tensor, Remote):
        return torch.tensor(index).to(PLACE)
    return index


def _tally(given: Any) -> Tally:
    return next(one.tally for one in tree_iter(given) if isinstance(one, Remote))


def _real(one: Any) -> Any:
    return one.held if isinstance(one, Remote) else one


def _is_tensor(one: Any) -> bool:
    return isinstance(one, torch.Tensor)


def _is_place(device: Any) -> bool:
    return device is not None and torch.device(device).type == PLACE.type


def _line() -> str:
    """Return file and line of the project that are at work, the innermost ones."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        path = frame.f_code.co_filename
        if OWN in path:
            return f"{path.rpartition(OWN)[2]}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"
