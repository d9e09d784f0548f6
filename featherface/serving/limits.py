"""What a service takes at most. Lean."""

from __future__ import annotations

from dataclasses import dataclass, fields

from featherface.errors import UsageError

MILLION = 10**6
LONGEST_SIDE = 16_384
"""Pixels of a picture's longer side; the most that WebP has, and no camera exceeds it."""
LOWEST_SCORE = 0.02
"""Lowest score that can be asked for: below it there are a thousand candidates for each face."""
MOST_FACES = 1000
"""Faces told of one picture, the strongest."""


@dataclass(frozen=True, kw_only=True)
class ServingLimits:
    """What is taken of each request, and of all of them together."""

    megabytes: float = 16.0
    """Of one picture's file, in millions of bytes."""
    megapixels: float = 16.0
    """Of one picture, in millions; a network takes some 100 bytes for each."""
    pictures: int = 16
    """Of one batch."""
    held_megabytes: float = 256.0
    """Of all uploads that are in memory at once, in millions of bytes."""
    requests: int = 32
    """With pictures, at once: those being uploaded, waiting and looked at."""
    connections: int = 512
    """Open at once, idle ones too."""
    concurrency: int = 2
    """Requests worked on at once; the network itself looks at one after the other."""
    seconds: float = 30.0
    """From the end of an upload to its answer."""
    upload_seconds: float = 15.0
    """Until a request's head, and then until its body, has come."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise UsageError(f"limit {field.name}: {getattr(self, field.name)} is not above 0")

    @property
    def picture_bytes(self) -> int:
        """Bytes of one picture's file."""
        return int(self.megabytes * MILLION)

    @property
    def held_bytes(self) -> int:
        """Bytes of all uploads together."""
        return int(self.held_megabytes * MILLION)

    @property
    def stop_seconds(self) -> int:
        """Seconds after which everything that was in flight has been answered."""
        return int(self.seconds + 2 * self.upload_seconds) + 1
