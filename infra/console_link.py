"""The one-time link that `touchline up` prints: whoever reads this terminal is the fleet's first admin.

The key lies in `<home>/console.key` (mode 600) until the console takes it: good once, for half an hour.
The console itself leaves its address in `<home>/console.address` while it listens.
"""

import secrets
import time

from infra import whole_file
from infra.home import Home
from policy.errors import ConfigError

KEY_FILE = "console.key"
ADDRESS_FILE = "console.address"
KEY_LIFETIME_S = 1800.0


def new_link(home: Home) -> str:
    """A new key in the home, in place of an older one; returns the link that carries it.

    Raises:
        ConfigError: no console runs there.
    """
    found = address(home)
    if not found:
        raise ConfigError(f"no console runs on {home.path}; touchline up or touchline console starts one")
    key = secrets.token_urlsafe(24)
    whole_file.write_private(home.path / KEY_FILE, key)
    return f"{found}/sign-in?key={key}"


def take_key(home: Home, key: str) -> bool:
    """Whether the key is the home's; it is used up by that, or by its age."""
    path = home.path / KEY_FILE
    try:
        kept, written_s = path.read_text(), path.stat().st_mtime
    except FileNotFoundError:
        return False
    is_over = time.time() - written_s > KEY_LIFETIME_S
    is_right = secrets.compare_digest(kept.encode(), key.encode())
    if not (is_over or is_right):
        return False
    try:
        path.unlink()  # of two at the same time, one
    except FileNotFoundError:
        return False
    return is_right and not is_over


def write_address(home: Home, address: str) -> None:
    """Where the console of this home listens, for other terminals; empty once it does not."""
    path = home.path / ADDRESS_FILE
    if address:
        path.write_text(address + "\n")
    else:
        path.unlink(missing_ok=True)


def address(home: Home) -> str:
    """Where the console of this home listens, such as http://127.0.0.1:8780; empty where none does."""
    try:
        return (home.path / ADDRESS_FILE).read_text().strip()
    except FileNotFoundError:
        return ""
