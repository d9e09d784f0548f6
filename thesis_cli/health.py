"""Accelerators as `thesis doctor` reports them: `ok` only where a kernel really ran."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, NamedTuple

from experiments.wording.shell_quote import command
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from featherface.devices.graphics_cards import Card


class Check(NamedTuple):
    """One line of the answer."""

    name: str
    status: str
    """`ok`, `warning` or `failure`."""
    found: str
    advice: str = ""


def torch_build() -> Check:
    """Tell which PyTorch is here, and what it was built for."""
    import torch

    said = [str(torch.__version__)]
    if torch.version.cuda:
        said.append(f"CUDA {torch.version.cuda}")
    if torch.version.hip:
        said.append(f"ROCm {torch.version.hip}")
    version = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    if torch.version.cuda and version:
        said.append(f"cuDNN {cudnn(version)}")
    if held := torch.cuda.get_arch_list():
        said.append(f"code for {' '.join(held)}")
    return Check("torch", "ok", ", ".join(said))


def cudnn(number: int) -> str:
    """Write cuDNN's version as its makers do: 91002 is 9.10.2, and before 9, 8907 is 8.9.7."""
    major, rest = divmod(number, 10_000 if number >= 90_000 else 1000)
    return f"{major}.{rest // 100}.{rest % 100}"


def accelerators() -> Iterator[Check]:
    """Let every accelerator compute, and say what keeps one from it."""
    import torch

    from featherface.devices.accelerators import cards, nvidia, unused

    here, driver_cards = cards(), nvidia()
    driver = next((card.driver for card in driver_cards), "")
    for place, card in here.items():
        yield cuda(place, card, driver)
    if not here and (reason := unused()):
        yield Check("gpu", "warning", reason, installation(driver_cards[0]))
    if torch.backends.mps.is_available():
        yield computed("mps", torch.device("mps"), "Apple's GPU")
    elif not here and not driver_cards:
        yield Check("gpu", "ok", "none here: networks run on the CPU")


def cuda(place: int, card: Card, driver: str) -> Check:
    """Check one CUDA device: whether this build holds code for it, then whether it computes."""
    import torch

    from featherface.devices.accelerators import lacks

    about = f"{card}, {quantity(card.memory_mb / 1024, 'GiB', '.1f')}, driver {driver or 'unknown'}"
    reason = lacks(place)
    if reason is not None:
        return Check(f"cuda:{place}", "warning", f"{about}; {reason}", installation(card))
    return computed(f"cuda:{place}", torch.device("cuda", place), about)


def computed(name: str, device: torch.device, about: str) -> Check:
    """Compute on DEVICE and compare with the CPU."""
    from featherface.devices.accelerators import NEAR, prove

    try:
        apart = prove(device)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0]
        return Check(name, "failure", f"{about}; it can't compute: {reason}", "--device cpu works")
    if not apart <= NEAR:
        off = f"{quantity(apart, '', '.1g')} from the CPU's"
        result = f"{about}; its results are {'not numbers' if math.isnan(apart) else off}"
        return Check(name, "failure", result, "update its driver, or use --device cpu")
    return Check(name, "ok", f"{about}; it computes as the CPU does, within {apart:.0e}")


def installation(card: Card) -> str:
    """Give what to type to get the build of PyTorch for CARD; a newer driver where it needs one."""
    import torch

    from featherface.devices.accelerators import build_for, nvidia
    from featherface.devices.graphics_cards import DRIVERS, branch

    driver = card.driver or next((card.driver for card in nvidia()), "")
    build = build_for(card)
    if build is None and card.capability is None:
        return f"update the driver, then ask again: {DRIVERS}"
    if build is None:
        return "networks run on the CPU: no build of PyTorch has code for so old or new a card"
    line = command([sys.executable, *build.install(str(torch.__version__))])
    if 0 < branch(driver) < build.driver:
        return f"update the driver to {build.driver} or later ({DRIVERS}), then: {line}"
    return line
