"""The checks of `model validate`: each says what it measured, or raises what is wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from featherface.devices.accelerators import cards, lacks
from featherface.geometry.priors import priors
from featherface.profiling.config import BenchmarkConfig
from featherface.profiling.counting import paper_counted, parameters
from featherface.profiling.memory import peak_memory
from featherface.validation.case import FailedError, pictures, require
from featherface.validation.names import COUNTS
from featherface.variants.table import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from featherface.networks.detector import Detector
    from featherface.validation.case import VariantCase

SIZES = ((320, 320), (640, 640), (480, 640), (1024, 1024))
"""Heights and widths that are gone through with one picture."""
BATCHES = range(2, 9)
"""Pictures at a time, at the smallest size."""
CLOSE = 1e-4
"""Largest difference of answers that should be equal, as a part of their spread."""
NARROW = {torch.bfloat16: 0.5, torch.float16: 0.2}
"""Half types -> share of the answers' spread by which they may differ from single precision."""
MEGA = 1e6


def counts(case: VariantCase) -> str:
    """Compare the parameters with the table."""
    model, wanted = case.network(), COUNTS.get(case.name)
    total, standard = parameters(model), VARIANTS[case.name].paper_counted
    require(wanted is not None, f"{total:,} parameters, and no table says how many there must be")
    if wanted is not None and not wanted.least <= total <= wanted.most:
        allowed = f"{wanted.most:,}" if wanted.exact else f"{wanted.least:,} to {wanted.most:,}"
        raise FailedError(f"{total:,} parameters; the table has {allowed}")
    parts = sum(model.components().values())
    require(parts == total, f"components add up to {parts:,}, not {total:,}")
    if standard is not None:
        counted = paper_counted(model)
        require(counted == standard, f"the paper's way counts {counted:,}, not {standard:,}")
    return f"{total:,} parameters"


def forward(case: VariantCase) -> str:
    """Look at pictures of many sizes, one by one and in batches."""
    model = case.network()
    done = [_look(model, case, *shape) for shape in _shapes(case)]
    return f"{len(done)} shapes, {done[0]} to {done[-1]}"


def modes(case: VariantCase) -> str:
    """See that training moves the statistics, and that evaluation is free of state."""
    model, images = case.stirred(), pictures(3, 96, 96)
    before = _buffers(model)
    with torch.no_grad():
        together, alone = model(images), model(images[1:2])
        require(_same(before, _buffers(model)), "evaluation changes the running statistics")
        answers = model.train()(images)
    require(not _same(before, _buffers(model)), "training does not move the running statistics")
    require(
        all(answer.isfinite().all() for answer in answers), "answers in training are not finite"
    )
    apart = max((a[1:2] - b).abs().max().item() for a, b in zip(together, alone, strict=True))
    loud = max(logits.std().item() for logits in together)
    require(apart <= CLOSE * loud, f"a picture's answer changes by {apart:.2g} in a batch")
    return (
        f"a picture alone and in a batch differ by {apart:.1g}, where answers spread by {loud:.2g}"
    )


def gradients(case: VariantCase) -> str:
    """See that each parameter has a gradient, and that it is not zero."""
    model = case.network().train()
    reached = {name: torch.zeros_like(value) for name, value in model.named_parameters()}
    for seed in range(2):
        model.zero_grad()
        _spoken(model, pictures(2, 160, 160, seed)).backward()  # type: ignore[no-untyped-call]
        for name, value in model.named_parameters():
            require(value.grad is not None, f"no gradient reaches {name}")
            if value.grad is not None:
                reached[name] += value.grad.abs()
    broken = [name for name, value in reached.items() if not value.isfinite().all()]
    require(not broken, f"the gradient of {', '.join(broken[:3])} is not finite")
    dead = [name for name, value in reached.items() if not value.any()]
    require(not dead, f"{len(dead)} parameters never get a gradient: {', '.join(dead[:3])}")
    still = sum(int((value == 0).sum()) for value in reached.values())
    return f"all {len(reached)} tensors reached; {still:,} numbers at rest on these pictures"


def types(case: VariantCase) -> str:
    """Move the network to every type and device there is."""
    model, images = case.stirred(), pictures(1, 64, 96)
    with torch.no_grad():
        wanted = model(images).logits
        double = model.double()(images.double()).logits
    require(double.dtype == torch.float64, f"in float64 it answers in {double.dtype}")
    apart = (double - wanted).abs().max().item() / wanted.std().item()
    require(apart <= 1e-3, f"float64 and float32 differ by {apart:.2g} of their spread")
    model.float()
    said = ["float64"]
    for dtype, share in NARROW.items():
        said.append(_narrow(model, images, wanted, dtype, share))
    said.append(_on_cuda(model, images, wanted))
    return ", ".join(said)


def determinism(case: VariantCase) -> str:
    """Do everything twice and compare bits."""
    first, second = case.network(), case.network()
    require(_same(first.state_dict(), second.state_dict()), "the same seed gives other weights")
    images = pictures(2, 96, 96)
    with torch.no_grad():
        answers = [model(images) for model in (first, first, second)]
    for answer in answers[1:]:
        equal = all(torch.equal(a, b) for a, b in zip(answers[0], answer, strict=True))
        require(equal, "the same picture gets another answer")
    steps = [_gradients(model, images) for model in (first, second)]
    require(_same(*steps), "the same step gives other gradients")
    return "weights, answers and gradients are bit-identical"


def memory(case: VariantCase) -> str:
    """Measure what is alive at once, forward and in a training step."""
    model = case.network()
    configurations = ((320, 1),) if case.quick else ((320, 1), (640, 1), (640, 8))
    said = []
    for side, batch in configurations:
        peak = peak_memory(model, BenchmarkConfig(image_size=side, batch_size=batch, device="cpu"))
        said.append(f"{side}² ×{batch}: {peak:.0f} MB")
    kept = _saved(model.train(), pictures(2, 320, 320)) / 2 / MEGA
    return f"forward {', '.join(said)}; training keeps {kept:.0f} MB per picture of 320²"


def export(case: VariantCase) -> str:
    """Write the network as ONNX and compare the answers, all optimisations on."""
    from featherface.engines.onnx_runtime import OnnxSession  # noqa: PLC0415 - as above
    from featherface.export.formats import ExportConfig  # noqa: PLC0415 - ONNX takes its time
    from featherface.export.writing import differences  # noqa: PLC0415 - as above
    from featherface.export.writing import export as write  # noqa: PLC0415 - as above

    model = case.stirred()
    config = ExportConfig(parity_sizes=((64, 96),), parity_batches=(1, 2))
    cases = [(size, 1) for size in SIZES] + [(SIZES[0], 8)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        (artifact,) = write(model, config, Path(folder), "network", case.name)
        run, worst = OnnxSession(artifact.path), artifact.parity or 0.0
        for size, batch in cases:
            difference = differences(model, run, size, batch)
            worst = max(worst, difference["boxes"], difference["scores"])
            height, width = size
            reason = f"{worst:.2g} apart at {height}×{width}, batch {batch}"
            require(worst <= config.tolerance, reason)
    return f"{artifact.megabytes:.2f} MB, at most {worst:.1g} apart"


ALL: dict[str, Callable[[VariantCase], str]] = {
    "counts": counts,
    "forward": forward,
    "modes": modes,
    "gradients": gradients,
    "types": types,
    "determinism": determinism,
    "memory": memory,
    "export": export,
}
"""One check per name of `names.CHECKS`."""


def _shapes(case: VariantCase) -> Iterator[tuple[int, int, int]]:
    """Yield batches, heights and widths."""
    if case.quick:
        yield from ((1, 64, 96), (2, 96, 64), (1, 320, 320))
        return
    yield from ((1, *size) for size in SIZES)
    yield from ((batch, *SIZES[0]) for batch in BATCHES)
    yield (8, *SIZES[2])


def _look(model: Detector, case: VariantCase, batch: int, height: int, width: int) -> str:
    told = f"{batch}×{height}×{width}"
    with torch.no_grad():
        answers = model(pictures(batch, height, width))
    wanted = len(priors(case.config, height, width))
    for numbers, answer in zip((4, 2, 10), answers, strict=True):
        shape = (batch, wanted, numbers)
        require(tuple(answer.shape) == shape, f"{told}: shape {tuple(answer.shape)}, not {shape}")
        require(answer.isfinite().all(), f"{told}: an answer is not finite")
    return told


def _buffers(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.named_buffers()}


def _same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[key], second[key]) for key in first
    )


def _spoken(model: Detector, images: Tensor) -> Tensor:
    """Return a number that every answer has a share in."""
    answers = torch.cat(model(images), -1)
    generator = torch.Generator().manual_seed(2)
    return (answers * torch.randn(answers.shape, generator=generator)).sum()


def _gradients(model: Detector, images: Tensor) -> dict[str, Tensor]:
    model.train().zero_grad()
    _spoken(model, images).backward()  # type: ignore[no-untyped-call]
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


def _narrow(
    model: Detector, images: Tensor, wanted: Tensor, dtype: torch.dtype, share: float
) -> str:
    """Compute in half precision and return how that went."""
    name = str(dtype).removeprefix("torch.")
    try:
        with torch.no_grad():
            logits = model.to(dtype)(images.to(dtype)).logits.float()
    except RuntimeError as error:
        if "not implemented" not in str(error):
            raise FailedError(f"{name}: {str(error).splitlines()[0]}") from error
        return f"{name} not on this CPU"
    finally:
        model.float()
    require(logits.isfinite().all(), f"{name}: an answer is not finite")
    apart = (logits - wanted).abs().mean().item() / wanted.std().item()
    require(apart <= share, f"{name}: answers differ by {apart:.0%} of their spread")
    return f"{name} ({apart:.1%} apart)"


def _on_cuda(model: Detector, images: Tensor, wanted: Tensor) -> str:
    if not cards():
        return "no CUDA here"
    if reason := lacks(torch.cuda.current_device()):
        return reason
    with torch.no_grad():
        logits = model.to("cuda")(images.to("cuda")).logits.cpu()
    model.cpu()
    apart = (logits - wanted).abs().max().item() / wanted.std().item()
    require(apart <= 1e-2, f"CUDA and CPU differ by {apart:.2g} of their spread")
    return "CUDA"


def _saved(model: Detector, images: Tensor) -> int:
    """Return the bytes that a forward pass in training keeps for the way back."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        answers = model(images)
        own = {value.untyped_storage().data_ptr() for value in model.parameters()}
        total = sum(size for pointer, size in kept.items() if pointer not in own)
    del answers
    return total
