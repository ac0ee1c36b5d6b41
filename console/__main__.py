"""`touchline console [link | user ...]`: serve the pages, or say who may come in.

touchline console                               serve until SIGTERM
touchline console link                          a one-time link for whoever sits at this terminal
touchline console user add NAME --role operator password from a prompt or TOUCHLINE_CONSOLE_PASSWORD
touchline console user remove NAME
touchline console user list
"""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence

from infra import config, console_link, home, service
from policy.errors import ConfigError, TouchlineError

PASSWORD_VARIABLE = "TOUCHLINE_CONSOLE_PASSWORD"
_CONFIG_ERROR_CODE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the commands; serving is the one without a name."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["user"]:
        return _user(words[1:])
    if words[:1] == ["link"]:
        return _link(words[1:])
    return _serve(words)


def _serve(words: Sequence[str]) -> int:
    from console.config import ConsoleConfig
    from console.history.fleet_watch import FleetWatchConfig
    from console.history.history import HistoryConfig
    from corrections.intervention import SafetyConfig
    from corrections.mapping import MappingConfig
    from corrections.operator_client import OperatorConfig
    from infra.bus import KafkaConfig
    from infra.registry import MlflowConfig
    from storage.tables import LakeConfig

    parser = config.parser("touchline console", "The web pages: operators correct, engineers watch and promote.")
    parser.epilog = "Also: touchline console link, touchline console user add|remove|list."
    sections = {
        "console": ConsoleConfig,
        "history": HistoryConfig,
        "fleet_watch": FleetWatchConfig,
        "operator": OperatorConfig,
        "mapping": MappingConfig,
        "safety": SafetyConfig,
        "kafka": KafkaConfig,
        "lake": LakeConfig,
        "mlflow": MlflowConfig,
    }
    for section, cls in sections.items():
        config.add_flags(parser, section, cls)
    service.add_flags(parser)
    args = parser.parse_args(words)
    from console import process

    return process.run(args)


def _link(words: Sequence[str]) -> int:
    parser = config.parser("touchline console link", "A one-time link that signs you in as admin.")
    place = home.from_args(parser.parse_args(words))
    print(console_link.new_link(place))
    return 0


def _user(words: Sequence[str]) -> int:
    parser = config.parser("touchline console user", "Who may sign in to the console.")
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="add somebody, or give them a new password and role")
    add.add_argument("name")
    add.add_argument("--role", required=True, help="viewer, operator, engineer or admin")
    remove = actions.add_parser("remove", help="take somebody off the list")
    remove.add_argument("name")
    actions.add_parser("list", help="everybody, with their roles")
    args = parser.parse_args(words)
    from console.people.roles import Role
    from console.people.users import UserFile, users_file

    users = UserFile(users_file(home.from_args(args).path))
    if args.action == "add":
        role = Role.of(args.role)
        person = users.add(args.name, _password(args), role)
        print(f"{person.name} may sign in as {person.role}")
    elif args.action == "remove":
        users.remove(args.name)
        print(f"{args.name} may no longer sign in")
    else:
        for person in users.people():
            print(f"{person.role:<9} {person.name}")
    return 0


def _password(args: argparse.Namespace) -> str:
    if password := os.environ.get(PASSWORD_VARIABLE):
        return password
    if not sys.stdin.isatty():
        raise ConfigError(f"set {PASSWORD_VARIABLE}: there is no terminal to ask at", name=args.name)
    password = getpass.getpass(f"Password for {args.name}: ")
    if getpass.getpass("Once more: ") != password:
        raise ConfigError("the two passwords differ")
    return password


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TouchlineError as error:
        print(f"console: {error}", file=sys.stderr)
        sys.exit(_CONFIG_ERROR_CODE if isinstance(error, ConfigError) else 1)
