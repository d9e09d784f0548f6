"""What is in a folder, to be compared with what was in it."""


def contents(folder):
    """Return path -> bytes of every file in FOLDER and below."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
