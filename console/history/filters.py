"""Which episodes somebody asks about: the filters that every screen shares, from and to a query string."""

import dataclasses
import urllib.parse
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from console.history import help_counts
from console.history.columns import Bool, Int32
from console.history.episode_table import UNLABELLED
from console.history.ledger_view import trained_on
from console.history.snapshot import Snapshot
from policy.errors import ConfigError
from policy.schema import Outcome, Source

_MAX_TEXTS = 64
_MAX_CHARS = 300
_TEXTS = ("task", "version", "robot", "operator", "source", "outcome")
_YES_OR_NO = ("assisted", "flagged", "requested")
_WORDS = {
    "label": ("labelled", "unlabelled", "relabelled", "disagreement"),
    "help": ("false_alarm", "missed"),
}
_TIMES = ("since_ns", "until_ns")
_MAX_NS = 2**63 - 1
DAY_S = 86_400
_MAX_WINDOW_S = 10 * 366 * DAY_S
WINDOW = "window_s"
NAMES = (*_TEXTS, *_YES_OR_NO, *_WORDS, *_TIMES, "critic", "trained", WINDOW)
"""Query parameters that `windowed` reads."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Filters:
    """What an episode must be; an empty field takes any."""

    task: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    robot: tuple[str, ...] = ()
    operator: tuple[str, ...] = ()
    """Who helped in it."""
    source: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    assisted: bool | None = None
    flagged: bool | None = None
    requested: bool | None = None
    """Whether it had a request for help."""
    label: str = ""
    """labelled, unlabelled, relabelled or disagreement."""
    help: str = ""
    """false_alarm or missed."""
    critic: str = ""
    """Who judged its steps last."""
    trained: str = ""
    """A version that could draw from it."""
    since_ns: int | None = None
    """It ended then or later."""
    until_ns: int | None = None
    """It ended before."""

    def query(self, **changes: str | bool | int) -> str:
        """The query string of these filters with some replaced, for a link."""
        pairs: list[tuple[str, str]] = []
        for field in dataclasses.fields(self):
            value = changes.get(field.name, getattr(self, field.name))
            if isinstance(value, tuple):
                value = ",".join(value)
            if isinstance(value, bool):
                value = str(value).lower()
            if value not in ("", None):
                pairs.append((field.name, str(value)))
        return urllib.parse.urlencode(pairs)


def parse(params: Mapping[str, Sequence[str]]) -> Filters:
    """The filters of a query; other parameters are somebody else's.

    Raises:
        ConfigError: a value that cannot be, and what may stand there.
    """
    texts = {name: _texts(name, params.get(name, ())) for name in _TEXTS}
    words_of: dict[str, Sequence[str]] = {"source": tuple(Source), "outcome": tuple(Outcome)}
    for name, known in words_of.items():
        for value in texts[name]:
            _check_word(name, value, known)
    flags = {name: _flag(name, params.get(name, ())) for name in _YES_OR_NO}
    words = {name: single(name, params.get(name, ())) for name in (*_WORDS, "critic", "trained")}
    for name, allowed in _WORDS.items():
        if words[name]:
            _check_word(name, words[name], allowed)
    times = {name: whole_number(name, params.get(name, ()), 0, _MAX_NS) for name in _TIMES}
    since_ns, until_ns = times["since_ns"], times["until_ns"]
    if since_ns is not None and until_ns is not None and since_ns > until_ns:
        raise ConfigError("since_ns must not lie after until_ns", since_ns=since_ns, until_ns=until_ns)
    return Filters(**texts, **flags, **words, **times)  # type: ignore[arg-type]


def windowed(params: Mapping[str, Sequence[str]], now_ns: int, default_s: int = 0) -> Filters:
    """As `parse`; without since_ns, window_s says how far back, 0 for everything.

    Raises:
        ConfigError: a value that cannot be.
    """
    found = parse(params)
    window_s = whole_number(WINDOW, params.get(WINDOW, ()), 0, _MAX_WINDOW_S)
    window_s = default_s if window_s is None else window_s
    if found.since_ns is None and window_s:
        since_ns = max((found.until_ns or now_ns) - window_s * 1_000_000_000, 0)
        found = dataclasses.replace(found, since_ns=since_ns)
    return found


def whole_number(name: str, values: Sequence[str], low: int, high: int) -> int | None:
    """A number of a query; None where it is not given.

    Raises:
        ConfigError: not a whole number, or out of bounds.
    """
    text = single(name, values)
    if not text:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20) or not low <= int(text) <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}", got=text[:80])
    return int(text)


def word(name: str, values: Sequence[str], allowed: Sequence[str], default: str) -> str:
    """One of several words of a query.

    Raises:
        ConfigError: another word.
    """
    text = single(name, values)
    if text:
        _check_word(name, text, allowed)
    return text or default


def mask(found: Snapshot, filters: Filters) -> Bool:
    """bool[E], the episodes that fit."""
    episodes, judged = found.episodes, found.judged
    fits = np.ones(episodes.num_rows, np.bool_)
    codes: dict[str, Int32] = {
        "task": episodes.task,
        "version": episodes.version,
        "robot": episodes.robot,
        "source": episodes.source,
        "outcome": judged.outcome,
    }
    for name, column in codes.items():
        if wanted := getattr(filters, name):
            fits &= np.isin(column, [episodes.names[name].find(text) for text in wanted])
    flags: dict[str, Callable[[], Bool]] = {
        "assisted": episodes.is_assisted,
        "flagged": lambda: judged.is_flagged,
        "requested": lambda: judged.num_requests > 0,
    }
    for name, column_of in flags.items():
        if (wanted_flag := getattr(filters, name)) is not None:
            fits &= column_of() == wanted_flag
    if filters.since_ns is not None:
        fits &= episodes.ended_ns >= filters.since_ns
    if filters.until_ns is not None:
        fits &= episodes.ended_ns < filters.until_ns
    return _rare(found, filters, fits)


def _rare(found: Snapshot, filters: Filters, fits: Bool) -> Bool:
    judged = found.judged
    if filters.operator:
        rows = [row for row, names in found.operators_of.items() if row >= 0 and set(names) & set(filters.operator)]
        fits &= np.isin(np.arange(len(fits)), rows)
    if filters.label:
        fits &= {
            "labelled": judged.outcome != UNLABELLED,
            "unlabelled": judged.outcome == UNLABELLED,
            "relabelled": judged.is_relabelled,
            "disagreement": judged.is_disputed,
        }[filters.label]
    if filters.help:
        fits &= help_counts.false_alarms(found) if filters.help == "false_alarm" else help_counts.missed(found)
    if filters.critic:
        table = found.digests.table
        code = table.critics.index(filters.critic) if filters.critic in table.critics else -1
        fits &= np.isin(np.arange(len(fits)), table.row[table.critic == code])
    if filters.trained:
        candidate = found.ledger.candidates.get(filters.trained)
        fits &= trained_on(candidate, found.episodes) if candidate else np.False_
    return fits


def _texts(name: str, values: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part for value in values for part in value.split(",") if part))
    if len(found) > _MAX_TEXTS or any(len(text) > _MAX_CHARS for text in found):
        raise ConfigError(f"{name} takes at most {_MAX_TEXTS} values of {_MAX_CHARS} characters", got=len(found))
    return found


def single(name: str, values: Sequence[str]) -> str:
    """A text of a query; empty where it is not given.

    Raises:
        ConfigError: given twice, or too long.
    """
    if len(values) > 1:
        raise ConfigError(f"{name} is given {len(values)} times; give it once")
    text = values[0] if values else ""
    if len(text) > _MAX_CHARS:
        raise ConfigError(f"{name} has at most {_MAX_CHARS} characters", got=len(text))
    return text


def _flag(name: str, values: Sequence[str]) -> bool | None:
    text = single(name, values)
    if not text:
        return None
    _check_word(name, text, ("true", "false"))
    return text == "true"


def _check_word(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ConfigError(f"{name} must be one of {', '.join(allowed)}", got=value[:80])
