"""ncnn through pnnx.

Sources: https://github.com/Tencent/ncnn, https://github.com/pnnx/pnnx.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.export.conversion_scripts.jobs import NAMES, answer, obey, pack

if TYPE_CHECKING:
    from featherface.export.conversion_scripts.jobs import Job

PARAMETERS, WEIGHTS = "network.param", "network.bin"


def convert(job: Job) -> None:
    """Write the network in `torchscript` to the archive `output`."""
    import pnnx

    height, width = job["size"]
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as folder:
        place = Path(made)
        traced = place / "network.pt"
        traced.write_bytes(Path(job["torchscript"]).read_bytes())
        command = [
            pnnx.EXEC_PATH,
            str(traced),
            f"inputshape=[1,3,{height},{width}]f32",
            "fp16=0",
            f"ncnnparam={Path(folder) / PARAMETERS}",
            f"ncnnbin={Path(folder) / WEIGHTS}",
        ]
        done = subprocess.run(  # noqa: S603 - pnnx itself, from its own package
            command, cwd=made, capture_output=True, text=True, check=False
        )
        sys.stderr.write(done.stdout + done.stderr)
        # It ends with 0 though it knows no layer for an operation, and writes that one's own name.
        text = (Path(folder) / PARAMETERS).read_text(encoding="utf-8")
        kinds = {line.split()[0] for line in text.splitlines()[2:] if line.strip()}
        foreign = sorted(kind for kind in kinds if "." in kind or ":" in kind)
        if foreign:
            raise SystemExit(f"ncnn has no layer for {', '.join(foreign)}")
        pack(Path(folder), Path(job["output"]), job["metadata"])


def run(job: Job) -> None:
    """Answer `pictures` with the archive at `model`, on the processor in single precision."""
    import ncnn

    network = ncnn.Net()
    network.opt.use_vulkan_compute = False
    for half in ("packed", "storage", "arithmetic"):
        setattr(network.opt, f"use_fp16_{half}", False)
    if job["threads"]:
        network.opt.num_threads = job["threads"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with zipfile.ZipFile(job["model"]) as packed:
            packed.extractall(folder)
        loaded = network.load_param(str(Path(folder) / PARAMETERS))
        if loaded or network.load_model(str(Path(folder) / WEIGHTS)):
            raise SystemExit("ncnn can't load what pnnx wrote")

        def look(picture: Any) -> list[Any]:
            extractor = network.create_extractor()
            extractor.input("in0", ncnn.Mat(np.ascontiguousarray(picture[0])))
            return [
                np.array(extractor.extract(f"out{index}")[1])[None] for index in range(len(NAMES))
            ]

        answer(job, look)
        network.clear()


if __name__ == "__main__":
    obey(convert, run)
