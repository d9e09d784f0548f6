"""NVIDIA's cards in this machine, and the builds of PyTorch that hold code for them.

Lean: `dev.py` imports it before anything is installed.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

INDEX = "https://download.pytorch.org/whl"
"""Where PyTorch's makers publish what PyPI has no room for, a folder to each build."""
DRIVERS = "https://www.nvidia.com/drivers"
PROGRAM = "nvidia-smi"
"""Comes with NVIDIA's driver."""
PATIENCE = 20
"""Seconds to wait for its answer; a card that sleeps takes some."""
BINARY = re.compile(r"sm_(\d+)(\d)([af]?)")
PORTABLE = re.compile(r"compute_(\d+)(\d)([af]?)")
EMBEDDED = frozenset({(5, 3), (6, 2), (7, 2), (8, 7), (10, 1)})
"""Capabilities of NVIDIA's boards, which run none of the code for cards."""

Capability = tuple[int, int]


@dataclass(frozen=True)
class Card:
    """A card as its driver describes it."""

    name: str
    capability: Capability | None
    """None where the driver is too old to tell."""
    driver: str = ""
    """Such as `560.94`; empty where it wasn't asked."""
    memory_mb: int = 0

    @property
    def branch(self) -> int:
        """The driver's release branch, such as 560; 0 where it isn't known."""
        return branch(self.driver)

    def __str__(self) -> str:
        return f"{self.name} (sm_{flat(self.capability)})" if self.capability else self.name


@dataclass(frozen=True)
class Build:
    """A build of PyTorch 2.13 for one version of CUDA, on x86-64."""

    name: str
    """Its folder in the INDEX."""
    architectures: tuple[str, ...]
    """What it holds code for, as `torch.cuda.get_arch_list` says it."""
    driver: int
    """Oldest branch of the driver that it works with."""
    last: Capability | None = None
    """The last version of PyTorch that has it; None while it goes on."""

    @property
    def url(self) -> str:
        """Where pip finds it."""
        return f"{INDEX}/{self.name}"

    def packaged(self, version: str) -> str:
        """Return pip's name of it in VERSION of PyTorch, or in its last one before that."""
        plain = version.partition("+")[0]
        if self.last and tuple(map(int, plain.split(".")[:2])) > self.last:
            return f"torch=={self.last[0]}.{self.last[1]}.*"
        return f"torch=={plain}+{self.name}"

    def install(self, version: str) -> list[str]:
        """Return what to type after Python's name to install it as VERSION of PyTorch."""
        return ["-m", "pip", "install", self.packaged(version), "--index-url", self.url]


BUILDS = {
    build.name: build
    for build in (
        Build("cu130", ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"), driver=580),
        Build(
            "cu126",
            ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"),
            driver=528 if os.name == "nt" else 525,
            last=(2, 14),
        ),
    )
}
"""Best first. From PyTorch's RELEASE.md, and NVIDIA's notes on minor version compatibility."""


def installed() -> tuple[Card, ...]:
    """Return the cards that NVIDIA's driver finds; none where there is no driver."""
    fields = ("name", "driver_version", "memory.total", "compute_cap")
    for asked in (fields, fields[:-1]):  # drivers before 2022 know no compute_cap
        query = [PROGRAM, f"--query-gpu={','.join(asked)}", "--format=csv,noheader,nounits"]
        try:
            answer = subprocess.run(  # noqa: S603 - a program of the driver, without a shell
                query, capture_output=True, text=True, check=False, timeout=PATIENCE
            )
        except (OSError, subprocess.TimeoutExpired):
            return ()
        if answer.returncode == 0:
            return tuple(_card(line) for line in answer.stdout.splitlines() if line.strip())
    return ()


def _card(line: str) -> Card:
    name, driver, memory, *capability = (part.strip() for part in line.split(","))
    known = re.fullmatch(r"(\d+)\.(\d)", capability[0]) if capability else None
    return Card(
        name=name,
        capability=(int(known[1]), int(known[2])) if known else None,
        driver=driver,
        memory_mb=int(memory) if memory.isdigit() else 0,
    )


def branch(driver: str) -> int:
    """Return the release branch of a DRIVER's version; 0 where it isn't known."""
    known = re.match(r"\d+", driver)
    return int(known[0]) if known else 0


def flat(capability: Capability) -> str:
    """Return CAPABILITY as compilers write it: (6, 1) is 61."""
    return f"{capability[0]}{capability[1]}"


def covers(architectures: Iterable[str], capability: Capability) -> bool:
    """Tell whether code for ARCHITECTURES runs on a card of CAPABILITY.

    Machine code (`sm_86`) runs on its own generation, from its own capability on; with an `a` on
    that capability alone, with an `f` as without. Portable code (`compute_90`) is compiled by the
    driver for anything later. See NVIDIA's CUDA C++ Programming Guide on compatibility.
    """
    return any(_runs(architecture, capability) for architecture in architectures)


def _runs(architecture: str, capability: Capability) -> bool:
    if match := BINARY.fullmatch(architecture):
        made = (int(match[1]), int(match[2]))
        if match[3] == "a" or capability in EMBEDDED or made in EMBEDDED:
            return made == capability
        return made[0] == capability[0] and made <= capability
    if match := PORTABLE.fullmatch(architecture):
        made = (int(match[1]), int(match[2]))
        return made == capability if match[3] == "a" else made <= capability
    return False


def fitting(capability: Capability | None, driver: int = 0) -> Build | None:
    """Return the best build for a card of CAPABILITY and its DRIVER's branch.

    Where the driver is too old for all that would do (0: not known), the one that asks least of
    it; None where no build holds code for such a card.
    """
    if capability is None:
        return None
    could = [build for build in BUILDS.values() if covers(build.architectures, capability)]
    ready = [build for build in could if not driver or driver >= build.driver]
    return next(iter(ready), min(could, key=lambda build: build.driver, default=None))


def here() -> tuple[Card, Build]:
    """Return the most capable card of this machine and the build for it.

    Raises:
        UnavailableError: there is no card, no build for it, or its driver is too old.
    """
    cards = sorted(installed(), key=lambda card: card.capability or (0, 0))
    if not cards:
        raise UnavailableError(
            f"{PROGRAM}, which comes with NVIDIA's driver, finds no card",
            f"Install the driver ({DRIVERS}) and open a new window; without a card, and on a Mac,"
            " leave --gpu away",
        )
    card = cards[-1]
    build = fitting(card.capability, card.branch)
    if build is None and card.capability:
        raise UnavailableError(f"no build of PyTorch holds code for {card}", "Leave --gpu away")
    if build is None or 0 < card.branch < build.driver:
        raise UnavailableError(
            f"the driver {card.driver} of {card} is too old", f"Update it: {DRIVERS}"
        )
    return card, build
