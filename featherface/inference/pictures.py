"""Pictures of a set by name, read ahead and batched by equal size."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.data.images import list_images
from featherface.errors import DataError
from featherface.evaluation.names import picture_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from featherface.data.widerface import Split

    Read = Callable[[Path], NDArray[np.uint8] | None]
    """None: the picture is passed over."""

_PIXELS = 2**21  # in a batch: eight times 512 x 512; more takes memory and gains no speed
_READERS = 2  # decoding releases Python's lock, so two keep ahead of a GPU's small networks


def pictures_of(source: Split | Path) -> dict[str, Path]:
    """Name the pictures of a split, or of the event folders below a folder: `event/stem`.

    Raises:
        DataError: there are none, or two have the same name.
    """
    if not isinstance(source, Path):
        return {picture_name(image.path): source.path(image) for image in source.images}
    if not source.is_dir():
        raise DataError(f"there is no images folder {source}", "check the path")
    pictures: dict[str, Path] = {}
    for path in list_images(source.resolve()):
        name = picture_name("/".join(path.parts[-2:]))
        if name in pictures:
            raise DataError(
                f"two pictures are called {name}: {pictures[name]} and {path}",
                "give the images folder of one set",
            )
        pictures[name] = path
    if not pictures:
        raise DataError(f"no pictures in {source}", "give the folder that holds EVENT/*.jpg")
    return pictures


def batches(
    pictures: Mapping[str, Path], read: Read, size: int
) -> Iterator[tuple[list[str], list[NDArray[np.uint8]]]]:
    """Yield names and pixels of up to SIZE neighbours of equal height and width.

    Those that READ passes over are left out.

    Measured on one core with the network v1: eight pictures at a time take 0.24, 0.40 and 0.74
    of the time at 128, 256 and 512 pixels a side.
    """
    names: list[str] = []
    images: list[NDArray[np.uint8]] = []
    for name, image in _ahead(pictures, read, size + _READERS):
        if image is None:
            continue
        full = len(names) == size or image[..., 0].size * (len(names) + 1) > _PIXELS
        if names and (full or image.shape != images[0].shape):
            yield names, images
            names, images = [], []
        names.append(name)
        images.append(image)
    if names:
        yield names, images


def _ahead(
    pictures: Mapping[str, Path], read: Read, depth: int
) -> Iterator[tuple[str, NDArray[np.uint8] | None]]:
    """Read PICTURES in their order, DEPTH of them ahead of use."""
    left = iter(pictures.items())
    with ThreadPoolExecutor(_READERS) as readers:
        waiting = deque((name, readers.submit(read, path)) for name, path in islice(left, depth))
        try:
            while waiting:
                name, image = waiting.popleft()
                waiting.extend((key, readers.submit(read, path)) for key, path in islice(left, 1))
                yield name, image.result()
        finally:
            readers.shutdown(cancel_futures=True)
