"""Values in sums that add up over episodes, so that a panel over a million steps is a sum over episodes."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from console.history.columns import Array, Int32
from console.history.episode_table import EXPERTS
from console.history.step_modes import CORRECTING, UNKNOWN, StepModes
from console.history.value_index import EpisodeValues
from policy.schema import Float32

KINDS = ("demonstration", "rollout", "correction")
"""Where a judged step comes from; scripted experts count as demonstrations, as the learner counts them."""
ADVANTAGE_EDGES = np.linspace(-1.0, 1.0, 201)
"""Bounds of the fine bins; what lies outside counts in the outermost."""
VALUE_EDGES = np.linspace(-1.0, 0.0, 11)
"""Bounds of the bins of predicted value; V lies in (-1, 0)."""
NUM_MOMENTS = 21
"""Points of normalised time, 0 to 1."""

_NUM_ADVANTAGE_BINS = len(ADVANTAGE_EDGES) - 1
_NUM_VALUE_BINS = len(VALUE_EDGES) - 1


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Digest:
    """One episode's judged steps."""

    critic: str
    histogram: Int32
    """int32[3, 200], advantages by kind."""
    num_positive: Int32
    """int32[3], by kind."""
    calibration: Array
    """float64[3, 10]: number, sum of predictions and sum of realised returns per bin of prediction."""
    curve: Float32
    """float32[21], value over normalised time."""
    lowest_positive: float
    """Smallest advantage of an autonomous step that was judged positive; infinite where there is none."""


def digest(values: EpisodeValues, modes: StepModes | None, source: int, num_steps: int) -> Digest:
    """Sum up one episode.

    Args:
        values: what the critic said.
        modes: who moved; None where the steps are not there yet.
        source: code of the episode's source.
        num_steps: of the whole episode.
    """
    kind = _kinds(values, modes, source)
    known = np.isfinite(values.advantage)
    bins = np.clip(np.searchsorted(ADVANTAGE_EDGES, values.advantage, side="right") - 1, 0, _NUM_ADVANTAGE_BINS - 1)
    flat = kind[known] * _NUM_ADVANTAGE_BINS + bins[known]
    histogram = np.bincount(flat, minlength=3 * _NUM_ADVANTAGE_BINS).reshape(3, -1)
    autonomous = values.advantage[values.is_positive & (kind == KINDS.index("rollout")) & known]
    return Digest(
        critic=values.critic,
        histogram=histogram.astype(np.int32),
        num_positive=np.bincount(kind[values.is_positive & known], minlength=3).astype(np.int32),
        calibration=_calibration(values),
        curve=values.along(num_steps, NUM_MOMENTS),
        lowest_positive=float(autonomous.min()) if len(autonomous) else float("inf"),
    )


def _kinds(values: EpisodeValues, modes: StepModes | None, source: int) -> Int32:
    if source in EXPERTS:
        return np.full(len(values.step), KINDS.index("demonstration"), np.int32)
    mode = np.full(len(values.step), UNKNOWN, np.int8)
    if modes is not None:
        there = (values.step >= 0) & (values.step < len(modes.mode))
        mode[there] = modes.mode[values.step[there]]
    return np.where(mode == CORRECTING, KINDS.index("correction"), KINDS.index("rollout")).astype(np.int32)


def _calibration(values: EpisodeValues) -> Array:
    known = np.isfinite(values.return_to_go) & np.isfinite(values.value)
    predicted, realised = values.value[known].astype(np.float64), values.return_to_go[known].astype(np.float64)
    bins = np.clip(np.searchsorted(VALUE_EDGES, predicted, side="right") - 1, 0, _NUM_VALUE_BINS - 1)
    sums = [np.bincount(bins, weights, _NUM_VALUE_BINS) for weights in (None, predicted, realised)]
    return np.array(sums, np.float64)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class DigestTable:
    """M digests, stacked; only of episodes that ended."""

    row: Int32
    """int32[M], row in `Episodes`."""
    critic: Int32
    """int32[M], index into `critics`."""
    critics: Sequence[str]
    """Newest first."""
    histogram: Array
    """float64[M, 3, 200], as are all counts here."""
    num_positive: Array
    """float64[M, 3]."""
    calibration: Array
    """float64[M, 3, 10]."""
    curve: Array
    """float64[M, 21]."""
    lowest_positive: Array
    """float64[M]."""


class Digests:
    """Digests by row of their episode; stacked when first asked for, which then serves until one changes."""

    def __init__(self, by_row: Mapping[int, Digest], critics: Sequence[str]) -> None:
        self.by_row, self.critics = by_row, critics

    @functools.cached_property
    def table(self) -> DigestTable:
        """All of them as arrays."""
        items = list(self.by_row.values())
        codes = {critic: code for code, critic in enumerate(self.critics)}

        def column(name: str, *shape: int) -> Array:
            return np.array([getattr(item, name) for item in items], np.float64).reshape(len(items), *shape)

        return DigestTable(
            row=np.fromiter(self.by_row, np.int32, len(items)),
            critic=np.array([codes[item.critic] for item in items], np.int32),
            critics=self.critics,
            histogram=column("histogram", 3, _NUM_ADVANTAGE_BINS),
            num_positive=column("num_positive", 3),
            calibration=column("calibration", 3, _NUM_VALUE_BINS),
            curve=column("curve", NUM_MOMENTS),
            lowest_positive=column("lowest_positive"),
        )
