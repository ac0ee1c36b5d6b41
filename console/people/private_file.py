"""Small files that only their owner may read, replaced in one rename."""

import os
import secrets
from pathlib import Path


def read_text(path: Path) -> str:
    """The content; empty where there is no file."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def write_text(path: Path, text: str) -> None:
    """Replace the file, mode 600; no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
