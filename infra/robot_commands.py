"""`touchline robot add | list | rotate | revoke`: who belongs to the fleet, from the command line.

Services are members too: `list` shows them, `rotate` and `revoke` take their names.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from infra import config, credentials, home, identity
from infra.enrolment import Enrolments
from infra.release_commands import expiry_ns, login
from infra.roster import Member, Role

_Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_OVERLAP_S = 7 * 86_400.0
"""As long as Kafka keeps steps: all that a robot has sent is read by then."""


def main(argv: Sequence[str] | None = None) -> int:
    """One action on the members of a home."""
    parser = config.parser("touchline robot", "Enrol robots; run it on the machine that runs ingest and gateway.")
    actions = parser.add_subparsers(dest="action", required=True)
    added = _action(actions, "add", "enrol a robot: makes its key and its gateway token")
    rotated = _action(actions, "rotate", "give a member a new key and token")
    revoked = _action(actions, "revoke", "let nothing of a member count any more")
    listed = _with_home(actions, "list", "the members and their keys")
    listed.add_argument("--history", action="store_true", help="what was done, by whom, when and why")
    for found in (added, rotated):
        found.add_argument("--out", type=Path, help="where the credential is put (default: in this home)")
    rotated.add_argument(
        "--overlap-s", type=float, default=_OVERLAP_S, help="how long messages of the old key still count (7 days)"
    )
    revoked.add_argument("--at", default="", help="from when on: 90m, 2h, 1d or 2030-01-31T18:00 (default: now)")
    args = parser.parse_args(argv)
    place = home.from_args(args).path
    enrolments = Enrolments(place)
    if args.action == "list":
        return _list(enrolments, has_history=args.history)
    if args.action == "revoke":
        at_ns = expiry_ns(args.at, time.time_ns())
        enrolments.revoke(args.name, author=args.author, reason=args.reason, at_ns=at_ns)
        sys.stdout.write(f"{args.name} is revoked; what it sends goes to dead letters\n")
        return 0
    return _issue(args, place, enrolments)


def _action(actions: _Actions, name: str, text: str) -> argparse.ArgumentParser:
    parser = _with_home(actions, name, text)
    parser.add_argument("name", metavar="NAME", help="robot id, such as actor-0-0")
    parser.add_argument("--author", default=login(), help="who does it (default: your login)")
    parser.add_argument("--reason", default="by hand", help="why, in words, for the history")
    return parser


def _with_home(actions: _Actions, name: str, text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    # The same flags as before the action's name, and here they must not put a default over what stood there.
    for flag in ("--home", "--config"):
        parser.add_argument(flag, type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def _issue(args: argparse.Namespace, place: Path, enrolments: Enrolments) -> int:
    file = args.out or credentials.file_of(place, args.name)
    if args.action == "add":
        identity.enrol_services(place)  # the robot is told now whose weights count
        roles = identity.SERVICES.get(args.name, (Role.ROBOT,))  # a service that was revoked comes back as one
        done = enrolments.add(args.name, roles, file=file, author=args.author, reason=args.reason)
    else:
        done = enrolments.rotate(args.name, overlap_s=args.overlap_s, file=file, author=args.author, reason=args.reason)
    sys.stdout.write(
        f"{args.name}: key {done.key.public.key_id}, in {file} (mode 600)\n"
        f"a robot on another machine reads it from its own home, at credentials/{args.name}.json: move it there\n"
    )
    return 0


def _list(enrolments: Enrolments, *, has_history: bool) -> int:
    if has_history:
        for event in enrolments.history():
            words = (_when(event.time_ns), f"{event.action:<7}", event.name, event.key_id, event.author, event.reason)
            sys.stdout.write("  ".join(word for word in words if word) + "\n")
        return 0
    members = sorted(enrolments.roster().members.values(), key=lambda member: (member.roles, member.name))
    if not members:
        sys.stdout.write("nobody is enrolled; touchline robot add NAME enrols a robot\n")
    for member in members:
        sys.stdout.write(f"{member.name:<24}{'+'.join(member.roles):<20}{_standing(member)}\n")
    return 0


def _standing(member: Member) -> str:
    newest = member.keys[-1]
    if member.revoked_ns:
        return f"revoked from {_when(member.revoked_ns)}"
    older = [key for key in member.keys[:-1] if key.not_after_ns > time.time_ns()]
    until = f", an older one counts until {_when(older[-1].not_after_ns)}" if older else ""
    return f"key of {_when(newest.since_ns)}{until}"


def _when(time_ns: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time_ns / 1e9))
