"""`touchline data`: what is in the lake and what it weighs, exports, how long it is kept, and erasure."""

import argparse
import datetime
import getpass
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from infra import config, connect, home
from infra.metrics import Metrics
from infra.registry import MlflowConfig
from policy.errors import ConfigError, RegistryError, TouchlineError
from storage import erasure, retention
from storage.disk import DiskConfig, LakeDisk
from storage.erasure import Erased
from storage.export import export
from storage.figures import robot_days, summary
from storage.pin import DataPin
from storage.removals import Kind, Removals
from storage.retention import RetentionConfig, RetentionPlan
from storage.tables import KEPT_TOPICS, Lake, LakeConfig, lake_of

_NAMES = {topic.name: topic for topic in KEPT_TOPICS}
_KAFKA_NOTE = "Kafka keeps the messages until its own retention ends: {days} days at most.\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one action, `show` if none is named; 2 for a mistake in the arguments, 1 for a failure."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    action = arguments.pop(0) if arguments and arguments[0] in _ACTIONS else "show"
    try:
        return _ACTIONS[action](arguments)
    except TouchlineError as error:
        sys.stderr.write(f"touchline data: {error}\n")
        return 2 if isinstance(error, ConfigError) else 1


def _show(arguments: Sequence[str]) -> int:
    parser = _parser("show", f"What is in the lake, and what a day of one robot weighs. Also: {', '.join(_ACTIONS)}.")
    config.add_flags(parser, "disk", DiskConfig)
    args = parser.parse_args(arguments)
    lake = _lake(args)
    tables = [summary(lake, topic) for topic in KEPT_TOPICS]
    days = robot_days(lake)
    removals = Removals(lake)
    removals.refresh()
    lines = [lake.url, f"{'table':<16}{'rows':>12}{'version':>10}{'files':>8}{'MB':>10}{'MB/robot-day':>14}"]
    for row in tables:
        per_day = f"{row.num_bytes / 1e6 / days:>14,.1f}" if days else f"{'-':>14}"
        megabytes = row.num_bytes / 1e6
        lines.append(f"{row.name:<16}{row.num_rows:>12,}{row.version:>10}{row.num_files:>8}{megabytes:>10.1f}{per_day}")
    total = sum(row.num_bytes for row in tables)
    if days:
        lines.append(f"{total / 1e6:,.1f} MB in {days * 24:,.2f} robot-hours: {total / 1e9 / days:,.2f} GB a robot-day")
    counts = [sum(line.kind == kind for line in removals.lines) for kind in (Kind.EPISODE, Kind.OPERATOR)]
    lines.append(f"removed for good: {counts[0]} episodes, {counts[1]} names")
    bounds = config.from_args("disk", DiskConfig, args)
    lines.append(f"disk: {LakeDisk(lake.url, bounds, Metrics()).words()}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _export(arguments: Sequence[str]) -> int:
    parser = _parser("export", "A time range of one table as a Parquet file.")
    parser.add_argument("table", choices=sorted(_NAMES))
    parser.add_argument("--since", type=_time, metavar="TIME", help="first time (ISO 8601)")
    parser.add_argument("--until", type=_time, metavar="TIME", help="time after the last (ISO 8601)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="Parquet file; TABLE.parquet if not given")
    args = parser.parse_args(arguments)
    target = args.out or Path(f"{args.table}.parquet")
    num_rows = export(_lake(args), _NAMES[args.table], target, since_ns=args.since, until_ns=args.until)
    sys.stdout.write(f"{num_rows} rows of {args.table} in {target}\n")
    return 0


def _retain(arguments: Sequence[str]) -> int:
    parser = _parser("retain", "Remove episodes that are older than [retention] says; without --yes, only list them.")
    parser.add_argument("--yes", action="store_true", help="do it")
    parser.add_argument("--even-champion", action="store_true", help="also what the champion was trained on")
    parser.add_argument("--author", default=_login(), help="who decides (default: your login)")
    config.add_flags(parser, "retention", RetentionConfig)
    config.add_flags(parser, "mlflow", MlflowConfig)
    args = parser.parse_args(arguments)
    lake, policy = _lake(args), config.from_args("retention", RetentionConfig, args)
    todo = retention.plan(lake, policy, time.time_ns(), _champion(args), spares_champion=not args.even_champion)
    sys.stdout.write(_plan_text(todo, policy, spares_champion=not args.even_champion))
    if not args.yes:
        sys.stdout.write("nothing was removed; --yes does it\n")
        return 0
    removals = Removals(lake)
    retention.carry_out(lake, todo, removals, author=args.author)
    return _say(erasure.carry_out(lake, removals))


def _erase(arguments: Sequence[str]) -> int:
    parser = _parser("erase", "Take an episode, or a person's name, out of the lake for good.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--episode", metavar="ID", help="all rows that name this episode")
    what.add_argument("--operator", metavar="NAME", help="this name, wherever a person is named; the episodes stay")
    parser.add_argument("--reason", required=True, help="why, in words that do not repeat what is erased")
    parser.add_argument("--author", default=_login(), help="who decides (default: your login)")
    parser.add_argument(
        "--now", action="store_true", help="remove the files too, rather than after lake.file_retention_h"
    )
    args = parser.parse_args(arguments)
    lake = _lake(args)
    removals = Removals(lake)
    erase, subject = (erasure.erase_episode, args.episode) if args.episode else (erasure.erase_operator, args.operator)
    code = _say(erase(lake, removals, subject, author=args.author, reason=args.reason))
    if args.now:
        sys.stdout.write(f"{erasure.shred_all(lake)} files removed\n")
    else:
        sys.stdout.write("the files that held it go with ingest's clean-up, after lake.file_retention_h\n")
    longest_s = max(topic.retention_s for topic in KEPT_TOPICS)
    sys.stdout.write(_KAFKA_NOTE.format(days=longest_s // 86_400))
    return code


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "show": _show,
    "export": _export,
    "retain": _retain,
    "erase": _erase,
}


def _champion(args: argparse.Namespace) -> tuple[str, DataPin | None]:
    if args.even_champion:
        return "", None
    try:
        return retention.champion_pin(connect.registry(config.from_args("mlflow", MlflowConfig, args)))
    except (RegistryError, ConfigError) as error:
        raise ConfigError(
            "what the champion was trained on is not known without the registry: start the fleet, set "
            f"mlflow.tracking_url, or say --even-champion ({error})"
        ) from error


def _plan_text(todo: RetentionPlan, policy: RetentionConfig, *, spares_champion: bool) -> str:
    lines = [f"{'kind':<20}{'kept days':>10}{'episodes':>10}{'steps':>12}{'about MB':>10}"]
    for field in policy.__dataclass_fields__:
        kind = field.removesuffix("_days")
        old, days = todo.old.get(kind, ()), policy.days(kind)
        num_steps = sum(episode.num_steps for episode in old)
        kept = f"{days:g}" if days else "for ever"
        lines.append(
            f"{kind:<20}{kept:>10}{len(old):>10}{num_steps:>12,}{num_steps * todo.bytes_per_step / 1e6:>10.1f}"
        )
    if todo.num_champion and spares_champion:
        lines.append(
            f"{todo.num_champion} more stay: champion {todo.champion} was trained on them "
            "(--even-champion removes them, and its training set cannot be made again)"
        )
    return "\n".join(lines) + "\n"


def _say(done: Erased) -> int:
    for name, num_rows in done.num_rows.items():
        if num_rows:
            sys.stdout.write(f"{name}: {num_rows:,} rows\n")
    for name, reason in done.unfinished.items():
        sys.stdout.write(f"{name}: left to ingest, which does it within a minute ({reason})\n")
    sys.stdout.write("a learner that runs forgets it at its next refresh; training sets that named it are gone\n")
    return 0


def _parser(action: str, description: str) -> argparse.ArgumentParser:
    parser = config.parser(f"touchline data {action}", description)
    config.add_flags(parser, "lake", LakeConfig)
    return parser


def _lake(args: argparse.Namespace) -> Lake:
    return lake_of(config.from_args("lake", LakeConfig, args), home.from_args(args))


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return "unknown"


def _time(text: str) -> int:
    """ISO 8601 to nanoseconds since the epoch."""
    return int(datetime.datetime.fromisoformat(text).astimezone().timestamp() * 1e9)


if __name__ == "__main__":
    sys.exit(main())
