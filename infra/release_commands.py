"""`touchline promote | rollback | freeze | thaw`: `releases.py` from the command line."""

import argparse
import contextlib
import getpass
import sys
import time
from collections.abc import Iterator, Sequence

from infra import bus, config, registry, releases
from infra.bus import KafkaConfig
from infra.ledger import Ledger
from infra.registry import MlflowConfig, PolicyRegistry
from policy.errors import BusUnavailable
from policy.schema import Release


def promote(argv: Sequence[str] | None = None) -> int:
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


def rollback(argv: Sequence[str] | None = None) -> int:
    """Make the previous champion act again."""
    parser = _parser("rollback", "Make the previous champion act again; the current one is rejected.")
    parser.add_argument("--version", help="this version instead of the previous champion")
    args = parser.parse_args(argv)
    with _connected(args) as (weights, ledger):
        done = releases.rollback(weights, ledger, author=args.author, reason=args.reason, version=args.version)
        return _say(done, ledger)


def freeze(argv: Sequence[str] | None = None) -> int:
    """Stop promotions."""
    parser = _parser("freeze", "Stop promotions and new canaries; rollback works all the same.")
    parser.add_argument("--hours", type=float, default=0.0, help="end by itself after so long; 0 for never")
    args = parser.parse_args(argv)
    expires_ns = time.time_ns() + int(args.hours * 3600e9) if args.hours > 0 else 0
    with _connected(args) as (weights, ledger):
        done = releases.freeze(weights, ledger, author=args.author, reason=args.reason, expires_ns=expires_ns)
        return _say(done, ledger)


def thaw(argv: Sequence[str] | None = None) -> int:
    """Allow promotions again."""
    args = _parser("thaw", "Allow promotions again.").parse_args(argv)
    with _connected(args) as (weights, ledger):
        return _say(releases.thaw(weights, ledger, author=args.author, reason=args.reason), ledger)


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = config.parser(f"touchline {name}", description)
    parser.add_argument("--author", default=_login(), help="who decides (default: your login)")
    parser.add_argument("--reason", default="by hand", help="why, in words, for the ledger")
    config.add_flags(parser, "mlflow", MlflowConfig)
    config.add_flags(parser, "kafka", KafkaConfig)
    return parser


@contextlib.contextmanager
def _connected(args: argparse.Namespace) -> Iterator[tuple[PolicyRegistry, Ledger]]:
    weights = registry.connect(config.from_args("mlflow", MlflowConfig, args))
    producer = bus.connect(config.from_args("kafka", KafkaConfig, args)).producer("release")
    try:
        yield weights, Ledger(producer)
    finally:
        producer.close()


def _login() -> str:
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
