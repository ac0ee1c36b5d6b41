"""`touchline promote | rollback | rollout | shadow | freeze | thaw`: `releases.py` and its neighbours as commands."""

import argparse
import contextlib
import datetime
import getpass
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from infra import config, connect, freeze, home, identity, releases, rollback_plan, rollout, shadow
from infra.bus import KafkaConfig
from infra.ledger import Ledger
from infra.registry import MlflowConfig, PolicyRegistry
from infra.releases import Acting, CanaryCohort
from infra.rollback_plan import RollbackPlan
from infra.rollout_state import Rollout, RolloutConfig
from infra.signing import service_signer
from policy.errors import BusUnavailable, ConfigError
from policy.schema import Release

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MOVES: dict[str, Callable[..., Release]] = {
    "next": rollout.next_stage,
    "pause": rollout.pause,
    "resume": rollout.resume,
    "abort": rollout.abort,
}


def run_promote(argv: Sequence[str] | None = None) -> int:
    """Make a version the champion."""
    parser = _parser("promote", "Make a version the champion; robots run it from their next episode.")
    parser.add_argument("version", help="version number in the registry")
    parser.add_argument("--canary", action="store_true", help="only on the canary robots")
    parser.add_argument("--force", action="store_true", help="although frozen or rejected")
    args = parser.parse_args(argv)
    release = releases.start_canary if args.canary else releases.promote
    with _connected(args) as (weights, ledger):
        done = release(weights, ledger, args.version, author=args.author, reason=args.reason, force=args.force)
        return _say(done, ledger)


def run_rollback(argv: Sequence[str] | None = None) -> int:
    """Make the previous champion act again."""
    parser = _parser("rollback", "Make the previous champion act again; the current one is rejected.")
    parser.add_argument("--version", help="this version instead of the previous champion")
    parser.add_argument("--dry-run", action="store_true", help="only list each robot and what it would run")
    config.add_flags(parser, "canary", CanaryCohort)
    args = parser.parse_args(argv)
    if args.dry_run:
        cohort = config.from_args("canary", CanaryCohort, args)
        weights = connect.registry(config.from_args("mlflow", MlflowConfig, args))
        robots = dict.fromkeys((*cohort.fleet, *cohort.robots))
        return _say_plan(rollback_plan.plan(weights, cohort, robots, version=args.version))
    with _connected(args) as (weights, ledger):
        done = releases.rollback(weights, ledger, author=args.author, reason=args.reason, version=args.version)
        return _say(done, ledger)


def run_rollout(argv: Sequence[str] | None = None) -> int:
    """Move a staged rollout, or say where it stands."""
    parser = _parser("rollout", "Bring a version to the fleet by robot count; the judge goes on by itself.")
    parser.add_argument("action", choices=("start", *_MOVES, "status"))
    parser.add_argument("version", nargs="?", help="version number in the registry, for start")
    parser.add_argument("--force", action="store_true", help="start although frozen or rejected")
    config.add_flags(parser, "rollout", RolloutConfig)
    config.add_flags(parser, "canary", CanaryCohort)
    args = parser.parse_args(argv)
    if (args.action == "start") != (args.version is not None):
        raise ConfigError("start takes a version, the other actions none: touchline rollout start VERSION")
    if args.action == "status":
        return _say_status(rollout.under_way(connect.registry(config.from_args("mlflow", MlflowConfig, args))))
    with _connected(args) as (weights, ledger):
        if args.action == "start":
            done = rollout.start(
                weights,
                ledger,
                args.version,
                cohort=config.from_args("canary", CanaryCohort, args),
                config=config.from_args("rollout", RolloutConfig, args),
                author=args.author,
                reason=args.reason,
                force=args.force,
            )
        else:
            done = _MOVES[args.action](weights, ledger, author=args.author, reason=args.reason)
        return _say(done, ledger)


def run_shadow(argv: Sequence[str] | None = None) -> int:
    """Let a version propose beside the champion, or none."""
    parser = _parser("shadow", "Compare what a version would do with what the champion does; no robot acts on it.")
    parser.add_argument("version", nargs="?", help="version number in the registry")
    parser.add_argument("--clear", action="store_true", help="let nothing propose beside the champion")
    args = parser.parse_args(argv)
    if args.clear == (args.version is not None):
        raise ConfigError("name a version or --clear: touchline shadow VERSION | touchline shadow --clear")
    with _connected(args) as (weights, ledger):
        if args.clear:
            return _say(shadow.clear_shadow(weights, ledger, author=args.author, reason=args.reason), ledger)
        done = shadow.set_shadow(weights, ledger, args.version, author=args.author, reason=args.reason)
        return _say(done, ledger)


def run_freeze(argv: Sequence[str] | None = None) -> int:
    """Stop promotions."""
    parser = _parser("freeze", "Stop promotions, new canaries and wider stages; rollback works all the same.")
    parser.add_argument("--expires", default="", help="end by itself: after 90m, 2h or 1d, or at 2030-01-31T18:00")
    args = parser.parse_args(argv)
    expires_ns = expiry_ns(args.expires, time.time_ns())
    with _connected(args) as (weights, ledger):
        done = freeze.freeze(weights, ledger, author=args.author, reason=args.reason, expires_ns=expires_ns)
        return _say(done, ledger)


def run_thaw(argv: Sequence[str] | None = None) -> int:
    """Allow promotions again."""
    args = _parser("thaw", "Allow promotions again.").parse_args(argv)
    with _connected(args) as (weights, ledger):
        return _say(freeze.thaw(weights, ledger, author=args.author, reason=args.reason), ledger)


def expiry_ns(text: str, now_ns: int) -> int:
    """When a freeze ends: 0 for never.

    Args:
        text: a duration (30s, 90m, 2h, 1d), an ISO time (without a zone: this machine's), or nothing.
        now_ns: wall time.

    Raises:
        ConfigError: neither, or in the past.
    """
    if not text:
        return 0
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text):
        return now_ns + int(float(match[1]) * _UNIT_S[match[2]] * 1e9)
    try:
        found_ns = int(datetime.datetime.fromisoformat(text).astimezone().timestamp() * 1e9)
    except ValueError as error:
        raise ConfigError(
            "--expires is a duration such as 90m, 2h or 1d, or a time such as 2030-01-31T18:00"
        ) from error
    if found_ns <= now_ns:
        raise ConfigError("--expires lies in the past", expires=text)
    return found_ns


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = config.parser(f"touchline {name}", description)
    parser.add_argument("--author", default=login(), help="who decides (default: your login)")
    parser.add_argument("--reason", default="by hand", help="why, in words, for the ledger")
    config.add_flags(parser, "mlflow", MlflowConfig)
    config.add_flags(parser, "kafka", KafkaConfig)
    return parser


@contextlib.contextmanager
def _connected(args: argparse.Namespace) -> Iterator[tuple[PolicyRegistry, Ledger]]:
    weights = connect.registry(config.from_args("mlflow", MlflowConfig, args))
    signatory = identity.service(home.from_args(args).path, "release")
    cluster = connect.bus(config.from_args("kafka", KafkaConfig, args), signatory)
    producer = cluster.producer("release", signer=service_signer(signatory))
    try:
        yield weights, Ledger(producer, signatory=signatory)
    finally:
        producer.close()


def login() -> str:
    """Who is at the keyboard, by the name of the account."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "unknown"


def _say(release: Release, ledger: Ledger) -> int:
    before = f" (was {release.previous_version})" if release.previous_version else ""
    sys.stdout.write(f"{release.event}: {release.policy_version or 'no version'}{before}\n")
    if ledger.flush():
        raise BusUnavailable("it is in force, but Kafka did not take its ledger line", event=release.event)
    return 0


def _say_plan(plan: RollbackPlan) -> int:
    sys.stdout.write(f"rollback would make {plan.target} champion and reject {plan.champion or 'nothing'}\n")
    if not plan.robots:
        sys.stdout.write("no robot is known here: name the fleet in [canary] fleet\n")
    for change in plan.robots:
        moves = f"{_words(change.now)} -> {_words(change.then)}" if change.changes else f"stays on {_words(change.now)}"
        sys.stdout.write(f"{change.robot_id}: {moves}\n")
    return 0


def _words(acting: Acting | None) -> str:
    return f"{acting.version} ({acting.role})" if acting else "nothing"


def _say_status(state: Rollout | None) -> int:
    if state is None:
        sys.stdout.write("no rollout is under way\n")
        return 0
    soaked = f"{state.elapsed_s(time.time_ns()):.0f} of at least {state.min_soak_s:.0f} s in this stage"
    sys.stdout.write(f"{state.in_words}\nrobots by stage: {', '.join(map(str, state.stages))}; {soaked}\n")
    return 0
