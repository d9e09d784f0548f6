"""Mermaid becomes a picture where a program is there; else its code stays, and a warning helps."""

from __future__ import annotations

import io
import shutil
from importlib import util

import pytest
from PIL import Image

from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.drawings import mermaid
from vault_sync.export.exporting import export

NOTE = """# Drawn

```mermaid
%% caption: The pipeline
graph LR
  a --> b
```

> [!note] Box
> ```mermaid
> %% caption: The pipeline
> graph LR
>   a --> b
> ```

```mermaid
graph LR
  a[b --> c
```
"""


def needs_mermaidx():
    if util.find_spec("mermaidx") is None:
        pytest.skip("mermaidx is not installed")


@pytest.fixture
def nothing(monkeypatch):
    """Let no program for Mermaid be there."""
    real, spec = shutil.which, util.find_spec
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "mmdc" else real(name))
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "mermaidx" else spec(name))


@pytest.fixture
def drawn(workspace):
    (workspace.vault / "a.md").write_text(NOTE, encoding="utf-8")
    return workspace


def test_without_a_program_the_code_stays(drawn, nothing):
    done = export(drawn, (), ExportOptions(to="html"))
    (warning,) = done.warnings
    assert warning.startswith("a.md:4: Mermaid is kept as its code (and in 2 more places): no prog")
    assert warning.endswith("-m pip install mermaidx")
    assert "a --&gt; b" in done.output.read_text(encoding="utf-8")
    assert done.figures == 0


def test_a_program_draws(drawn):
    needs_mermaidx()
    done = export(drawn, (), ExportOptions(to="html"))
    text = done.output.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64") == 2
    assert "The pipeline</figcaption>" in text
    (warning,) = done.warnings
    assert warning.startswith("a.md:17: Mermaid is kept as its code: Parse error")


def test_formulas_want_mermaids_own_program(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(util, "find_spec", lambda name: name)
    assert mermaid.draw('graph LR\n a["$$x$$"]').hint == mermaid.OFFICIAL


@pytest.mark.slow
def test_a_program_that_fails_is_followed_by_the_next(monkeypatch):
    needs_mermaidx()
    monkeypatch.setattr(shutil, "which", lambda _: "no-such-program")
    image = Image.open(io.BytesIO(mermaid.draw("graph LR\n a --> b\n").content))
    assert image.format == "PNG"
    assert 1 < image.width / mermaid.DENSITY < 3  # inches
    assert len(image.convert("L").getcolors()) > 2
