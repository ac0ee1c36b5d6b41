"""Small files that are replaced in one rename: no reader sees half of one, and a kill leaves the one before."""

import contextlib
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
    """Replace a file whose folder is there; one writer at a time."""
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_text(text)
    draft.replace(path)


def write_private(path: Path, text: str) -> None:
    """Replace a file that only its owner may read, mode 600 from its first byte on; several may write at once."""
    _private_draft(path, text).replace(path)


def shared_secret(path: Path) -> str:
    """The secret in a file, kept over restarts; whoever comes first makes it, and only its owner may read it."""
    if not path.exists():
        draft = _private_draft(path, secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):  # somebody else was quicker: theirs holds
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


def _private_draft(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return draft
