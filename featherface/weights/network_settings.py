"""What a weights file says of the network that its tensors belong to.

Tensors of the same names and shapes can need other priors, activations or pixels: a network is
variant, tensors and settings. Files that this program writes hold all settings in their metadata,
published files are known by their digest. Lean: no tensor is read.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from featherface.data.fingerprint import file_sha256
from featherface.errors import UsageError, WeightsError
from featherface.variants.config import DetectorConfig
from featherface.variants.table import VARIANTS
from featherface.weights.published_weights import recognised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

VARIANT, SETTINGS = "variant", "model"
"""Keys of a file's metadata: the variant's name, and every setting of the network as JSON."""
SOURCE_DIGEST = "source_sha256"
"""Key of a safetensors file: the digest of the published file that it was made from."""
HEADER = 8
"""Bytes of a safetensors file that tell how long its header is."""
LONGEST = 10_000_000
"""Bytes of a header that is read at most."""


@dataclass(frozen=True)
class NetworkSettings:
    """The network that a file of weights belongs to."""

    variant: str
    """Empty where the file names none."""
    config: DetectorConfig
    origin: str
    """How it is known: the file's metadata, or the title of what was published."""


def settings_metadata(config: DetectorConfig) -> dict[str, str]:
    """Return the metadata that a file of weights for CONFIG's network carries."""
    return {SETTINGS: json.dumps(asdict(config))}


def read_header(path: Path, longest: int) -> dict[str, Any]:
    """Return the header of the safetensors file at PATH: its tensors' shapes and its metadata.

    Raises:
        OSError: it can't be read.
        ValueError: it is no such file, or its header has more than LONGEST bytes.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(HEADER), "little")
        if length > longest:
            raise ValueError("its header is too long")
        header: dict[str, Any] = json.loads(file.read(length))
        return header


def read_metadata(path: Path) -> dict[str, str]:
    """Return what a safetensors file says about itself; empty where it is none or says nothing."""
    try:
        header = read_header(path, LONGEST - 1)
        return dict(header.get("__metadata__") or {})
    except (OSError, ValueError, AttributeError):
        return {}


def network_settings(path: Path) -> NetworkSettings | None:
    """Return what is known of the network that the weights in PATH belong to; None: nothing.

    Raises:
        WeightsError: the file tells settings that this version does not know.
    """
    metadata = read_metadata(path)
    told = settings_of(metadata, path)
    if told is not None:
        return told
    known = recognised(metadata.get(SOURCE_DIGEST) or (file_sha256(path) if path.is_file() else ""))
    if known is None:
        return None
    return NetworkSettings(known.variant, VARIANTS[known.variant].config, known.title)


def settings_of(metadata: Mapping[str, str], path: Path) -> NetworkSettings | None:
    """Return the network that METADATA of the file at PATH tells; None where it tells none.

    Raises:
        WeightsError: the file tells settings that this version does not know.
    """
    if SETTINGS not in metadata:
        return None
    config = _parsed(metadata[SETTINGS], path)
    known = recognised(metadata.get(SOURCE_DIGEST, ""))
    name = metadata.get(VARIANT) or (known.variant if known else "")
    return NetworkSettings(name, config, known.title if known else "its metadata")


def _parsed(text: str, path: Path) -> DetectorConfig:
    try:
        return DetectorConfig(**json.loads(text))
    except (ValueError, TypeError, UsageError) as error:
        reason = error.message if isinstance(error, UsageError) else str(error)
        raise WeightsError(
            f"{path} tells settings of its network that this version does not know: {reason}",
            "update thesis; or bring the weights in again from their source: thesis model import",
        ) from error


def conflicts(config: DetectorConfig, other: DetectorConfig) -> dict[str, tuple[Any, Any]]:
    """Return key -> (value in CONFIG, value in OTHER), of the settings that differ."""
    names = [field.name for field in fields(config)]
    pairs = {name: (getattr(config, name), getattr(other, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def known_to_fit(path: Path, config: DetectorConfig) -> bool:
    """Whether the weights in PATH say what network they are of, and that it is CONFIG's.

    Raises:
        WeightsError: the file tells settings that this version does not know.
    """
    known = network_settings(path)
    return known is not None and not conflicts(known.config, config)


def overruled(
    path: Path,
    config: DetectorConfig,
    section: str = "model",
    keys: Iterable[str] | None = None,
) -> list[str]:
    """Say which settings of PATH's network CONFIG overrules, of KEYS or of all; with both values.

    SECTION is where a recipe sets them.

    Raises:
        WeightsError: as `network_settings`.
    """
    known = network_settings(path)
    differing: Mapping[str, tuple[Any, Any]] = conflicts(config, known.config) if known else {}
    wanted = differing if keys is None else [key for key in differing if key in keys]
    return [
        f"{section}.{key} = {shown(differing[key][0])} wins over {shown(differing[key][1])}, which"
        f" {path.name} was made with; where the key is left out, the file's holds"
        for key in wanted
    ]


def shown(value: object) -> str:
    """Write VALUE as a recipe does.

    >>> shown(((16, 32), (64,)))
    '[[16, 32], [64]]'
    """
    return json.dumps(value) if not isinstance(value, str) else value
