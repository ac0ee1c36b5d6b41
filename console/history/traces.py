"""An episode's channels over its steps, in as many points as are drawn."""

import dataclasses
import re
from collections.abc import Mapping, Sequence

import numpy as np

from console.history import buckets, filters
from console.history.columns import Array
from console.history.detail import CRITIC_CHANNELS
from console.history.question import Json
from console.history.reader import EpisodeReader
from console.history.snapshot import Snapshot
from policy.errors import ConfigError

_MAX_CHANNELS = 64
_DEFAULT_BUCKETS = 500
_MAX_STEP = 1 << 20
_FROM_STEPS = re.compile(r"(state|tactile|action|proposed)\.\d{1,4}|command_delay_ms", re.ASCII)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TraceRequest:
    """Which channels, which steps, how many points."""

    channels: tuple[str, ...]
    first: int
    last: int | None
    """None for the end."""
    num_buckets: int


def parse(params: Mapping[str, Sequence[str]]) -> TraceRequest:
    """A request from a query.

    Raises:
        ConfigError: a value that cannot be.
    """
    names = tuple(dict.fromkeys(n for value in params.get("channels", ()) for n in value.split(",") if n))
    if not 1 <= len(names) <= _MAX_CHANNELS:
        raise ConfigError(f"channels names 1 to {_MAX_CHANNELS} channels, such as state.0,value", got=len(names))
    for name in names:
        if name not in CRITIC_CHANNELS and not _FROM_STEPS.fullmatch(name):
            raise ConfigError(
                "channels are state.N, tactile.N, action.N, proposed.N, command_delay_ms, "
                f"{', '.join(CRITIC_CHANNELS)}",
                got=name[:80],
            )
    first = filters.whole_number("first", params.get("first", ()), 0, _MAX_STEP) or 0
    last = filters.whole_number("last", params.get("last", ()), 0, _MAX_STEP)
    if last is not None and last < first:
        raise ConfigError("last must not lie before first", first=first, last=last)
    count = filters.whole_number("buckets", params.get("buckets", ()), 1, buckets.MAX_BUCKETS)
    return TraceRequest(channels=names, first=first, last=last, num_buckets=count or _DEFAULT_BUCKETS)


def traces(found: Snapshot, reader: EpisodeReader, episode_id: str, request: TraceRequest) -> Json:
    """The channels; one that the episode does not have is all null.

    Raises:
        LakeError: the steps cannot be read.
    """
    modes = found.modes.get(episode_id)
    num_steps = len(modes.mode) if modes else 0
    needs_steps = any(name not in CRITIC_CHANNELS for name in request.channels)
    if needs_steps:
        num_steps = reader.numbers(found, episode_id).num_steps
    last = num_steps - 1 if request.last is None else min(request.last, num_steps - 1)
    cuts = buckets.edges(max(last - request.first + 1, 0), request.num_buckets)
    drawn = {}
    for name in request.channels:
        values = _values(found, reader, episode_id, name, num_steps)[request.first : last + 1]
        low, high = buckets.bounds(values, cuts)
        drawn[name] = {"min": low, "max": high}
    return {
        "episode_id": episode_id,
        "first": request.first,
        "last": last,
        "num_steps": num_steps,
        "step": (cuts[:-1] + request.first).tolist(),
        "channels": drawn,
        "modes": modes.bands() if modes else [],
    }


def _values(found: Snapshot, reader: EpisodeReader, episode_id: str, name: str, num_steps: int) -> Array:
    """float[num_steps], NaN where nothing is known."""
    unknown = np.full(num_steps, np.nan, np.float32)
    if name not in CRITIC_CHANNELS:
        return reader.numbers(found, episode_id).channels.get(name, unknown)
    values = found.values.get(episode_id)
    if values is not None:
        there = (values.step >= 0) & (values.step < num_steps)
        unknown[values.step[there]] = getattr(values, name)[there]
    return unknown
