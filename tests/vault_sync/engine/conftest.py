from __future__ import annotations

import pytest
from stand_ins.one_note import OLD


@pytest.fixture
def vault(tmp_path):
    folder = tmp_path / "vault"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "note.md").write_bytes(OLD)
    return folder


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"
