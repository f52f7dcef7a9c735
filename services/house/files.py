"""Files of the home, written whole or not at all."""

import os
from pathlib import Path


def write(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replaces a file atomically and durably. A crash leaves the old one or the new one, whole."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
