"""The digest of the whole program."""

import hashlib
import subprocess
import sys

import featherface
from featherface.source.digest import program_digest
from featherface.source.packages import OURS, PACKAGES, Packages


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Packages(root, ("ours", "yours"))


FILES = {"ours/__init__.py": b"", "ours/a.py": b"A = 1\n", "yours/inner/b.py": b"B = 2\n"}


def test_it_is_the_sha_256_of_names_and_contents(tmp_path):
    packages = write(tmp_path, FILES)
    whole = b"ours/__init__.py\n0\n" + b"ours/a.py\n6\nA = 1\n" + b"yours/inner/b.py\n6\nB = 2\n"
    assert program_digest(packages) == hashlib.sha256(whole).hexdigest()


def test_line_ends_bytecode_and_other_files_do_not_count(tmp_path):
    first = program_digest(write(tmp_path / "1", FILES))
    others = {
        "ours/a.py": b"A = 1\r\n",
        "ours/__pycache__/a.py": b"old",
        "ours/__pycache__/a.cpython-313.pyc": b"compiled",
        "ours/py.typed": b"",
        "theirs/c.py": b"C = 3\n",
    }
    assert program_digest(write(tmp_path / "2", FILES | others)) == first


def test_every_other_change_counts(tmp_path):
    changes = [
        {},
        {"ours/a.py": b"A = 2\n"},
        {"ours/c.py": b""},
        {"ours/a.py": b"A = 1\n# why\n"},
        {"yours/inner/b.py": b"", "yours/inner/c.py": b"B = 2\n"},
    ]
    digests = [
        program_digest(write(tmp_path / str(at), FILES | each)) for at, each in enumerate(changes)
    ]
    assert len(set(digests)) == len(digests)


def test_our_packages_are_those_that_run():
    names = [name for name, _ in OURS.files()]
    assert "featherface/__init__.py" in names
    assert {name.partition("/")[0] for name in names} == set(PACKAGES)
    assert names == sorted(names, key=lambda name: name.split("/"))
    assert OURS.path("featherface").samefile(featherface.__file__)
    assert OURS.path("numpy") is None
    assert OURS.path("featherface.nothing") is None


def test_a_folder_of_that_name_where_it_is_called_from_hides_nothing(tmp_path):
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.py").write_text("x = 1\n", encoding="utf-8")
    root = str(OURS.root)
    code = f"import sys; sys.path.append({root!r})\n"
    code += "from featherface.source.digest import program_digest; print(program_digest())"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert answer.stdout.strip() == program_digest()
