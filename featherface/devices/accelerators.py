"""The accelerators of this machine, and whether this build of PyTorch can compute on them."""

from __future__ import annotations

import os
from functools import cache

import torch

from featherface.devices import graphics_cards
from featherface.devices.graphics_cards import DRIVERS, INDEX, Build, Card

SIZE = 32
"""Side of the matrices and maps of the trial computation."""
NEAR = 1e-2
"""Largest deviation from the processor's results, as a share of the largest of them: TF32 and the
order of sums take less than a tenth of it."""


def cards() -> dict[int, Card]:
    """Return the CUDA devices that PyTorch sees, by number; empty where it sees none."""
    if not torch.cuda.is_available():
        return {}
    return {
        place: Card(
            name=torch.cuda.get_device_name(place),
            capability=torch.cuda.get_device_capability(place),
            memory_mb=torch.cuda.get_device_properties(place).total_memory // 2**20,
        )
        for place in range(torch.cuda.device_count())
    }


@cache
def nvidia() -> tuple[Card, ...]:
    """Return the cards that NVIDIA's own program finds, asked once."""
    return graphics_cards.installed()


def lacks(place: int) -> str | None:
    """Say that this build of PyTorch has no code for CUDA device PLACE; None where it has.

    PyTorch counts such a card as available, and the first kernel fails.
    """
    held = [
        architecture
        for architecture in torch.cuda.get_arch_list()
        if architecture.startswith(("sm_", "compute_"))
    ]
    capability = torch.cuda.get_device_capability(place)
    if not held or graphics_cards.covers(held, capability):  # ROCm's names are others
        return None
    return (
        f"PyTorch {torch.__version__} holds no code for {torch.cuda.get_device_name(place)}"
        f" (sm_{graphics_cards.flat(capability)}), only for {', '.join(held)}"
    )


def build_for(card: Card) -> Build | None:
    """Return the best build of PyTorch for CARD and the driver; None where no build will do."""
    driver = card.driver or next((card.driver for card in nvidia()), "")
    return graphics_cards.fitting(card.capability, graphics_cards.branch(driver))


def remedy(card: Card) -> str:
    """Say which build of PyTorch holds code for CARD."""
    build = build_for(card)
    if build is None:
        return f"no build in {INDEX} holds code for it"
    return f"the build in {build.url} does (thesis doctor prints the line that installs it)"


def unused() -> str | None:
    """Say why PyTorch uses none of NVIDIA's cards that are here; None where there are none."""
    cards = nvidia()
    if not cards or torch.cuda.is_available():
        return None
    card = cards[0]
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if torch.version.cuda is None:
        build = build_for(card)
        source = f"; one for it is in {build.url} (see: thesis doctor)" if build else ""
        return f"PyTorch {torch.__version__} is a build without CUDA, beside {card}{source}"
    if hidden is not None and hidden.strip() in {"", "-1"}:
        return f"CUDA_VISIBLE_DEVICES={hidden} hides {card}"
    needed = oldest_driver()
    if 0 < card.branch < needed:
        build = build_for(card)
        other = build is not None and build.driver <= card.branch
        return (
            f"the driver {card.driver} of {card} is too old for CUDA {torch.version.cuda}, which"
            f" needs {needed} or later ({DRIVERS})"
            + (f"; with the build in {build.url} it works" if build and other else "")
        )
    return f"CUDA {torch.version.cuda} doesn't start on {card}, driver {card.driver or 'unknown'}"


def oldest_driver() -> int:
    """Return the oldest branch of the driver that this build of PyTorch works with."""
    major = (torch.version.cuda or "0").partition(".")[0]
    known = [build.driver for name, build in graphics_cards.BUILDS.items() if name[2:4] == major]
    return min(known, default=0)


def prove(device: torch.device) -> float:
    """Compute a little on DEVICE and on the CPU; return how far apart, over the largest value.

    A product of matrices and a convolution: what a network is made of, and what fails first where
    a build lacks the kernels.

    Raises:
        RuntimeError: DEVICE can't compute; the first line is the driver's or PyTorch's own.
    """
    draw = torch.Generator().manual_seed(0)
    matrix = torch.randn(SIZE, SIZE, generator=draw)
    images = torch.randn(2, 3, SIZE, SIZE, generator=draw)
    kernels = torch.randn(8, 3, 3, 3, generator=draw)

    def computed(where: torch.device) -> list[torch.Tensor]:
        left, maps, weights = (tensor.to(where) for tensor in (matrix, images, kernels))
        return [(left @ left).cpu(), torch.nn.functional.conv2d(maps, weights).cpu()]

    wanted, computed_there = computed(torch.device("cpu")), computed(device)
    pairs = zip(wanted, computed_there, strict=True)
    return max(
        float((expected - got).abs().max() / expected.abs().max()) for expected, got in pairs
    )
