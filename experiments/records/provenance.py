"""Provenance of a run: git commit and patch, packages, hardware. Secrets are scrubbed."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from experiments.conditions import USUAL_ENGINE, Conditions
from experiments.records.record import Git
from experiments.workspace.repository import ask
from featherface.devices.names import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import torch

PATCH_LIMIT = 2_000_000
"""Bytes of source.patch; a larger difference is named, not kept."""
UNTRACKED_LIMIT = 200_000
"""Bytes of one untracked file that goes into the patch."""
REMOVED = "[removed]"
SECRET_NAME = re.compile(
    r"(?i)(token|secret|passw|pwd|credential|api[-_.]?key|auth|private[-_.]?key)"
)
SECRET_VALUE = re.compile(
    r"(?:gh[pousr]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_\w{20,}|sk-[\w-]{16,}"
    r"|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{10,400}\.[\w-]{10,4000}\.[\w-]*"
    r"|(?<![0-9A-Za-z/_.-])[0-9a-f]{40}(?![0-9A-Za-z/_.-]))"
)
"""Shapes of well-known tokens; 40 hex digits alone are W&B's."""
_NAME = (
    r"(?:token|secret|passw(?:or)?d|pwd|credential|api[-_.]?key|private[-_.]?key"
    r"|access[-_.]?key)[\w.-]{0,40}"
)
ASSIGNED = re.compile(
    rf"""(?im)({_NAME}["']?[ \t]*[:=][ \t]*)(["'])[^"'\n]{{6,}}\2"""
    rf"""|^([+ -]?[ \t]*(?:export[ \t]+)?[\w.-]{{0,40}}{_NAME}=)[^\s"'()\[\]]{{6,}}$"""
    rf"""|^([+ -]?[ \t]*[\w.-]{{0,40}}{_NAME}:[ \t]+)(?=\S*\d)[^\s"'()\[\]]{{6,}}$"""
)
"""A secret's name and its value: quoted in code, bare in an environment file or in YAML.

Here and below repetitions are bounded: a line of a megabyte must not take a minute.
"""
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s'\"]+")


@dataclass(frozen=True)
class SourceState:
    """The code that runs, as a repository knows it."""

    git: Git
    patch: str = ""
    """Content of source.patch."""


def source(folder: Path) -> SourceState:
    """Return commit and uncommitted changes of the repository that FOLDER lies in.

    No git, no repository, a git that hangs or a broken repository: an empty `Git`.
    """
    commit = _git(folder, "rev-parse", "HEAD").strip()
    if not commit:
        return SourceState(Git())
    status = _git(folder, "status", "--porcelain", "--untracked-files=normal")
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD").strip()
    remote = clean_url(_git(folder, "remote", "get-url", "origin").strip())
    patch, told = _patch(folder) if status.strip() else ("", "")
    known = Git(commit=commit, branch=branch, dirty=bool(status.strip()), remote=remote, patch=told)
    return SourceState(known, patch)


def code_folder() -> Path:
    """Return the folder of this program's own source."""
    return Path(__file__).parent


@cache
def environment() -> str:
    """Return `name==version` of every installed package, one per line, sorted."""
    versions: dict[str, str] = {}
    for package in metadata.distributions():
        name = package.metadata["Name"]
        if name:
            versions.setdefault(re.sub(r"[-_.]+", "-", name).lower(), package.version)
    lines = [f"python=={platform.python_version()}"]
    lines += [f"{name}=={version}" for name, version in sorted(versions.items())]
    return "\n".join(lines) + "\n"


def hardware(device: str = "auto") -> dict[str, Any]:
    """Return what decides speed: processor, memory, system, and the card that DEVICE asks for."""
    import psutil  # noqa: PLC0415 - only runs ask

    facts: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
    }
    return facts | _accelerator(number(device))


def clean_argv(argv: Sequence[str]) -> tuple[str, ...]:
    """Return ARGV without what looks like a password or token."""
    cleaned: list[str] = []
    hide_next = False
    for argument in argv:
        if hide_next and not argument.startswith("-"):
            cleaned.append(REMOVED)
            hide_next = False
            continue
        name, equals, _ = argument.rpartition("=") if "=" in argument else (argument, "", "")
        secret = bool(SECRET_NAME.search(name)) and not _is_path(name)
        hide_next = secret and not equals and argument.startswith("-")
        cleaned.append(f"{name}={REMOVED}" if secret and equals else clean_text(argument))
    return tuple(cleaned)


def clean_text(text: str) -> str:
    """Return TEXT with tokens, the credentials of URLs and assigned secrets taken out."""
    text = SECRET_VALUE.sub(REMOVED, URL.sub(lambda match: clean_url(match[0]), text))
    return ASSIGNED.sub(_without_value, text)


def clean_url(url: str) -> str:
    """Return URL without user, password and query, which may hold tokens."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return REMOVED
    if not parts.scheme or not parts.netloc:
        return SECRET_VALUE.sub(REMOVED, url)
    path = SECRET_VALUE.sub(REMOVED, parts.path)
    return urlunsplit((parts.scheme, f"{host}{port}", path, "", ""))


def _without_value(match: re.Match[str]) -> str:
    quoted, quote, environment, yaml = match.groups()
    if quote:
        return f"{quoted}{quote}{REMOVED}{quote}"
    return f"{environment or yaml}{REMOVED}"


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name


def _git(folder: Path, *arguments: str) -> str:
    """Return git's answer; empty where there is none to be had."""
    return ask(folder, *arguments) or ""


def _patch(folder: Path) -> tuple[str, str]:
    """Return the uncommitted changes and what the record says of them."""
    changes = _git(folder, "diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv")
    names = _git(folder, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    parts = [changes, *_untracked(folder, (name for name in names if name))]
    text = clean_text("".join(parts))
    if len(text.encode("utf-8")) > PATCH_LIMIT:
        return "", f"not kept: {len(text.encode('utf-8')):,} bytes, the limit is {PATCH_LIMIT:,}"
    return text, "source.patch" if text else "not kept: only large or binary files differ"


def _untracked(folder: Path, names: Iterable[str]) -> Iterable[str]:
    """Yield each small untracked text file as a patch that adds it."""
    for name in names:
        path = folder / name
        try:
            if SECRET_NAME.search(name) or name.endswith((".env", ".pem", ".key")):
                continue
            if path.is_symlink() or not path.is_file() or path.stat().st_size > UNTRACKED_LIMIT:
                continue
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        lines = content.splitlines()
        body = "".join(f"+{line}\n" for line in lines)
        yield (
            f"diff --git a/{name} b/{name}\nnew file mode 100644\n"
            f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(lines)} @@\n{body}"
        )


def _cpu_name() -> str:
    """Return the processor's name as it is sold: `platform` knows its family alone."""
    systems = {"Linux": _cpu_of_linux, "Windows": _cpu_of_windows, "Darwin": _cpu_of_macos}
    name = ""
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        name = systems.get(platform.system(), str)().strip()
    return name or platform.processor() or platform.machine()


def _cpu_of_linux() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2] for line in lines if line.startswith("model name")), "")


def _cpu_of_windows() -> str:
    registry = importlib.import_module("winreg")
    place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, place) as key:
        return str(registry.QueryValueEx(key, "ProcessorNameString")[0])


def _cpu_of_macos() -> str:
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    done = subprocess.run(  # noqa: S603 - the system's own program, by its full path
        command, capture_output=True, text=True, check=True, timeout=5
    )
    return done.stdout


def _accelerator(card: int | None) -> dict[str, Any]:
    """Return CARD, else the current one, asked only where PyTorch is loaded anyway."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    facts: dict[str, Any] = {"torch": str(torch.__version__), "threads": torch.get_num_threads()}
    if torch.cuda.is_available():
        count = facts["gpus"] = torch.cuda.device_count()
        there = card if card is not None and card < count else torch.cuda.current_device()
        facts["gpu"] = torch.cuda.get_device_name(there)
    return facts


def conditions_on(device: torch.device, precision: str) -> Conditions:
    """Return the conditions of what DEVICE of this machine computes in PRECISION."""
    return Conditions(
        device=device.type,
        hardware=hardware_name(device),
        precision=precision,
        engine=USUAL_ENGINE,
    )


def hardware_name(device: torch.device) -> str:
    """Return what DEVICE is called; of several cards the one that it is."""
    if device.type == "cuda":
        import torch  # noqa: PLC0415 - loaded already, where there is a device

        return str(torch.cuda.get_device_name(device))
    return str(hardware()["cpu"])
