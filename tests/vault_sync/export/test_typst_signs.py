"""Signs that pandoc calls by old names are set all the same."""

from __future__ import annotations

from vault_sync.export.reading.pandoc import compile_typst
from vault_sync.export.reading.typst_signs import with_old_names

SOURCE = "$A sect B, a dot.circle b, a times.circle.big b, a minus.circle b, bracket.l.double x$\n"


def test_old_names_are_known(tmp_path):
    (tmp_path / "x.typ").write_text(SOURCE + "$dot(x) lt.eq y dot.op z$", encoding="utf-8")
    assert compile_typst(tmp_path / "x.typ", tmp_path / "x.pdf") == []
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")


def test_only_what_is_used_is_defined():
    assert with_old_names("a text, $a dot.op b$") == "a text, $a dot.op b$"
    made = with_old_names("$a sect b$")
    assert made.startswith('#let sect = symbol("∩", ')
    assert made.count("#let") == 1


def test_norms_grow_and_keep_their_index_beside_them():
    made = with_old_names("$∥x∥_2 + ∥y∥$ and ∥ in prose ∥")
    norm = "lr(bar.v.double {} bar.v.double)"
    assert made == f"${norm.format('x')}_2 + {norm.format('y')}$ and ∥ in prose ∥"
