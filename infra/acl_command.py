"""`touchline acl render | secret`: what Kafka must know of our members, for its administrator to run.

    touchline acl render                  kafka-configs.sh and kafka-acls.sh lines: an account and its rights for each
    touchline acl render --format json    the same as data, for other tools
    touchline acl secret NAME             what the first kind of line reads through a pipe: the password of one account

No line holds a secret: a member's password is made from its credential when the line runs.
"""

import argparse
import dataclasses
import itertools
import json
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from infra import access, config, credentials, home, identity
from infra.access import Rule
from infra.bus import KafkaConfig
from infra.enrolment import Enrolments
from infra.sections import section_class
from policy.errors import ConfigError

_HEADER = "# In bash, with BOOTSTRAP=host:port and ADMIN=the file that logs Kafka's administrator in there."
_ASKED = '--bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN"'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Accounts:
    """What the broker is to know of the members of a home."""

    names: Sequence[str]
    """In good standing."""
    revoked: Sequence[str]
    rules: Sequence[Rule]
    mechanism: str
    home: Path


def main(argv: Sequence[str] | None = None) -> int:
    """Print the lines, or one password to a pipe."""
    parser = config.parser("touchline acl", "Accounts and rights at Kafka, for its administrator.")
    parser.add_argument(
        "action", choices=("render", "secret"), help="render: all of them; secret: a password, to a pipe"
    )
    parser.add_argument("name", metavar="NAME", nargs="?", default="", help="whose password")
    parser.add_argument("--format", choices=("kafka-acls", "json"), default="kafka-acls", help="lines, or data")
    config.add_flags(parser, "kafka", KafkaConfig)
    args = parser.parse_args(argv)
    place = home.from_args(args).path
    settings = config.from_args("kafka", KafkaConfig, args)
    if args.action == "secret":
        return _secret(place, args.name, settings.sasl_mechanism)
    found = accounts(place, settings, _ingest_group(args))
    text = as_json(found) if args.format == "json" else "\n".join([_HEADER, *as_lines(found)])
    sys.stdout.write(text + "\n")
    return 0


def accounts(place: Path, settings: KafkaConfig, group: str = "") -> Accounts:
    """The members of a home, services first, and the least that each needs."""
    identity.enrol_services(place)
    members = Enrolments(place).roster().members
    ordered = sorted(members, key=lambda name: (name not in access.SERVICES, name))
    revoked = [name for name in ordered if members[name].is_revoked(time.time_ns())]
    names = [name for name in ordered if name not in revoked]
    return Accounts(
        names=names,
        revoked=revoked,
        rules=access.rules(names, topic_prefix=settings.topic_prefix, group=group),
        mechanism=settings.sasl_mechanism,
        home=place,
    )


def as_lines(found: Accounts) -> Iterator[str]:
    """Command lines of Kafka's own tools; running them again changes nothing."""
    for name in found.names:
        secret = f"<(touchline acl secret {name} --home {shlex.quote(str(found.home))})"
        yield f"kafka-configs.sh {_ASKED} --alter --entity-type users --entity-name {name} --add-config-file {secret}"
    for name in found.revoked:
        account = f"--entity-type users --entity-name {name}"
        yield f"kafka-configs.sh {_ASKED} --alter {account} --delete-config {found.mechanism}"
    for (principal, resource, operation), rules in _grouped(found.rules):
        names = " ".join(f"--{resource} {shlex.quote(rule.name)}" for rule in rules)
        yield f"kafka-acls.sh {_ASKED} --add --allow-principal {principal} --operation {operation} {names}"


def as_json(found: Accounts) -> str:
    """The same as data."""
    content = {
        "mechanism": found.mechanism,
        "accounts": list(found.names),
        "revoked": list(found.revoked),
        "acls": [
            {**dataclasses.asdict(rule), "host": "*", "permission": "Allow", "pattern": "literal"}
            for rule in found.rules
        ],
    }
    return json.dumps(content, indent=1)


def _ingest_group(args: argparse.Namespace) -> str:
    """Under which name several ingests share their topics; its section is above our floor."""
    section = "ingest"
    settings: Any = config.from_args(section, section_class(section), args)
    return str(settings.group)


def _grouped(rules: Iterable[Rule]) -> Iterator[tuple[tuple[str, str, str], list[Rule]]]:
    """Rules that one line can add, by principal, resource and operation; principals stay in order."""
    for principal, of_one in itertools.groupby(rules, key=lambda rule: rule.principal):
        alike = sorted(of_one, key=lambda rule: (rule.resource, rule.operation))
        for (resource, operation), group in itertools.groupby(alike, key=lambda rule: (rule.resource, rule.operation)):
            yield (principal, resource, operation), list(group)


def _secret(place: Path, name: str, mechanism: str) -> int:
    if sys.stdout.isatty():
        raise ConfigError("this is a secret: pipe it into kafka-configs.sh, as touchline acl render shows")
    file = credentials.file_of(place, name)
    if not file.exists():
        raise ConfigError(f"the credential of {name or 'NAME'} is not here; run this where it lies", path=str(file))
    sys.stdout.write(f"{mechanism}=password={credentials.read(file).kafka_password}\n")
    return 0
