"""ExecuTorch with the XNNPACK backend (https://docs.pytorch.org/executorch)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from featherface.export.conversion_scripts.jobs import answer, obey

if TYPE_CHECKING:
    from featherface.export.conversion_scripts.jobs import Job


def convert(job: Job) -> None:
    """Write the network in `program` (a saved torch.export) to `output`."""
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    program = torch.export.load(job["program"])
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    Path(job["output"]).write_bytes(lowered.to_executorch().buffer)


def run(job: Job) -> None:
    """Answer `pictures` with the file at `model`."""
    import torch
    from executorch.runtime import Runtime

    method = Runtime.get().load_program(job["model"]).load_method("forward")

    def look(picture: Any) -> list[Any]:
        return [output.numpy() for output in method.execute([torch.from_numpy(picture)])]

    answer(job, look)


if __name__ == "__main__":
    obey(convert, run)
