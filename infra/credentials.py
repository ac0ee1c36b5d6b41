"""What one member of the fleet holds: its private key, its gateway token, and whom it trusts.

One file, made at enrolment and readable by its owner only: `<home>/credentials/NAME.json`. For a robot on
a machine of its own, `touchline robot add` writes it and a person carries it into that machine's home.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from infra import whole_file
from infra.keys import PrivateKey
from infra.roster import Member, Stamp
from policy.errors import ConfigError

_FOLDER = "credentials"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Credential:
    """The secrets of one member."""

    name: str
    key: PrivateKey = dataclasses.field(repr=False)
    token: str = dataclasses.field(repr=False)
    """With which it dials in to the gateway."""
    trusted: tuple[Member, ...]
    """The services as they were at enrolment: whose weights and release orders count."""

    @property
    def kafka_password(self) -> str:
        """Of its account at the broker; made from the key, so that there is nothing more to keep, or to rotate."""
        return self.key.secret_for("kafka password")

    def stamp(self, statement: bytes) -> Stamp:
        """Sign."""
        return Stamp(signer=self.name, key_id=self.key.public.key_id, signature=self.key.sign(statement))


def file_of(home: Path, name: str) -> Path:
    """Where a member's credential lies in a home."""
    return home / _FOLDER / f"{name}.json"


def write(file: Path, credential: Credential) -> None:
    """Put a credential down in one rename, mode 600 from its first byte on."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {
        "name": credential.name,
        "private_key": credential.key.to_text(),
        "token": credential.token,
        "trusted": [dataclasses.asdict(member) for member in credential.trusted],
    }
    whole_file.write_private(file, json.dumps(content, indent=1) + "\n")


def read(file: Path) -> Credential:
    """The credential in a file.

    Raises:
        ConfigError: it is readable by others, or not a credential; says how to mend that.
    """
    try:
        if file.stat().st_mode & 0o077:
            raise ConfigError(f"others may read the credential; chmod 600 {file}, or rotate it if they did")
        fields: Any = json.loads(file.read_text())
        return Credential(
            name=fields["name"],
            key=PrivateKey.from_text(fields["private_key"]),
            token=fields["token"],
            trusted=tuple(map(Member.from_json, fields["trusted"])),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(
            "not a credential; touchline robot rotate makes a new one", path=str(file), cause=type(error).__name__
        ) from error
