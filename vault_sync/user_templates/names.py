"""Valid names of user templates."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d")
"""What Windows keeps for its devices."""
