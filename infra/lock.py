"""One process per directory: an advisory lock that ends with its holder, however that dies."""

import fcntl
import os
from pathlib import Path

from policy.errors import ConfigError


def take(file: Path, refusal: str) -> int:
    """Lock `file`, which is created when missing; closing the returned descriptor gives it back.

    Raises:
        ConfigError: another process holds it; says `refusal` and names the directory.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ConfigError(refusal, directory=str(file.parent)) from error
    return descriptor
