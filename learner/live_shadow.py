"""What a shadow would have done on live steps, compared with what the champion wanted: a sample, never all.

    take_steps(batch)    from the live stream: finds the observation that a champion's action was planned on
    cycle(shadow)        every `period_s` a few of them: two proposals of the shadow, and how far each is from it

An action in row k of its chunk was planned k steps before, so it is compared with row k of a chunk that the
shadow plans on that earlier observation. Proposals are compared, not what was executed: limits come after both.
"""

import collections
import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from infra.metrics import Metrics
from learner.shadow_report import Gaps, ShadowReport
from policy.batch import ObservationBatch
from policy.errors import ConfigError, SchemaError
from policy.flow import Guidance
from policy.policy import Policy
from policy.schema import ControlMode, Float32, Source
from storage.frames import StepArrays, decode_steps

_NAMES = (
    "robot_id",
    "episode_id",
    "step_index",
    "spec_id",
    "source",
    "control_mode",
    "policy_version",
    "chunk_index",
    "instruction",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShadowConfig:
    """How much of the live stream a shadow looks at."""

    period_s: float = 1.0
    """Between two comparisons."""
    max_steps: int = 8
    """Steps in one; robots that were compared least come first."""
    poll_s: float = 2.0
    """Between looks for another shadow."""
    publish_s: float = 10.0
    """Between two reports."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not getattr(self, field.name) > 0:
                raise ConfigError(f"shadow.{field.name} must be above 0", value=getattr(self, field.name))


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Shadow:
    """Weights that propose and never act."""

    version: str
    champion: str
    """Whose proposals they are compared with."""
    policy: Policy
    guidance: Guidance


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """An action of the champion and the observation that it was planned on."""

    instruction: str
    observed: pa.RecordBatch
    """One step."""
    acted: pa.RecordBatch
    """One step, `chunk_index` later."""
    chunk_index: int


class LiveShadow:
    """The comparison of one shadow with one champion; one thread."""

    def __init__(
        self,
        config: ShadowConfig,
        metrics: Metrics,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.config = config
        self._metrics, self._clock_s, self._wall_ns = metrics, clock_s, wall_ns
        self._generator = torch.Generator().manual_seed(0)
        self._next_s = 0.0
        self.report: ShadowReport | None = None
        """The comparison so far; replaced whole, for another thread to read."""
        self._swap(None)

    def take_steps(self, batch: pa.RecordBatch) -> None:
        """Steps of one message; nothing is kept while there is no shadow."""
        if self._shadow is None:
            return
        columns: dict[str, list[Any]] = {name: batch.column(name).to_pylist() for name in _NAMES}
        for row in range(batch.num_rows):
            self._take(batch.slice(row, 1), {name: column[row] for name, column in columns.items()}, self._shadow)

    def cycle(self, shadow: Shadow | None) -> None:
        """Compare a few steps, when it is time."""
        if shadow is not self._shadow:
            self._swap(shadow)
        if shadow is None or not self._pairs or self._clock_s() < self._next_s:
            return
        self._next_s = self._clock_s() + self.config.period_s
        least = sorted(self._pairs, key=lambda robot_id: self._gaps.get(robot_id, Gaps()).num_steps)
        chosen = {robot_id: self._pairs[robot_id] for robot_id in least[: self.config.max_steps]}
        self._pairs.clear()
        self._compare(shadow, chosen)

    def _swap(self, shadow: Shadow | None) -> None:
        """Figures of another shadow, or against another champion, are others."""
        self._shadow, self.report = shadow, None
        self._pairs: dict[str, _Pair] = {}
        """The newest of each robot."""
        self._recent: dict[str, collections.deque[tuple[str, int, pa.RecordBatch]]] = {}
        """Episode, index and row of the last steps of each robot: as many as a chunk is long."""
        self._gaps: dict[str, Gaps] = {}

    def _take(self, row: pa.RecordBatch, fields: dict[str, Any], shadow: Shadow) -> None:
        if fields["source"] != Source.ROLLOUT or fields["spec_id"] != shadow.policy.spec.spec_id:
            return
        horizon = shadow.policy.config.horizon
        recent = self._recent.setdefault(fields["robot_id"], collections.deque(maxlen=horizon))
        recent.append((fields["episode_id"], fields["step_index"], row))
        chunk_index, is_own = fields["chunk_index"], fields["policy_version"] == shadow.champion
        if fields["control_mode"] != ControlMode.AUTONOMOUS or not is_own or not 0 <= chunk_index < horizon:
            return
        origin = (fields["episode_id"], fields["step_index"] - chunk_index)
        observed = next((step for episode_id, index, step in recent if (episode_id, index) == origin), None)
        if observed is not None:
            self._pairs[fields["robot_id"]] = _Pair(
                instruction=fields["instruction"], observed=observed, acted=row, chunk_index=chunk_index
            )

    def _compare(self, shadow: Shadow, pairs: dict[str, _Pair]) -> None:
        decoded = {robot_id: both for robot_id, pair in pairs.items() if (both := _decode(pair, shadow)) is not None}
        if not decoded:
            return
        batch = ObservationBatch(
            frames=np.stack([both.frames[0] for both in decoded.values()]),
            state=np.stack([both.state[0] for both in decoded.values()]),
            tactile=np.stack([both.tactile[0] for both in decoded.values()]),
            instructions=[pairs[robot_id].instruction for robot_id in decoded],
        )
        rows, places = np.arange(len(decoded)), [pairs[robot_id].chunk_index for robot_id in decoded]
        scale = shadow.policy.normaliser.action.scale
        one, other = (
            shadow.policy.sample_chunks(batch, guidance=shadow.guidance, generator=self._generator)[rows, places]
            / scale
            for _ in range(2)
        )
        wanted = np.stack([both.proposed_action[1] for both in decoded.values()]) / scale
        action = (_mean_square(wanted - one) + _mean_square(wanted - other)) / 2
        for robot_id, own, noise in zip(decoded, action, _mean_square(one - other), strict=True):
            gaps = Gaps(num_steps=1, action=float(own), noise=float(noise))
            self._gaps[robot_id] = self._gaps.get(robot_id, Gaps()) + gaps
        self._metrics.count("touchline_shadow_steps_total", len(decoded))
        self._show(shadow)

    def _show(self, shadow: Shadow) -> None:
        self._metrics.set("touchline_shadow_gap_ratio", sum(self._gaps.values(), start=Gaps()).ratio)
        self.report = ShadowReport(
            version=shadow.version, champion=shadow.champion, at_ns=self._wall_ns(), robots=dict(self._gaps)
        )


def _mean_square(difference: Float32) -> Float32:
    return np.asarray(np.mean(difference**2, axis=1), np.float32)


def _decode(pair: _Pair, shadow: Shadow) -> StepArrays | None:
    """What was observed, then what was wanted."""
    try:
        return decode_steps(pa.Table.from_batches([pair.observed, pair.acted]), shadow.policy.spec)
    except SchemaError:
        return None  # a damaged picture, say: ingest keeps the step as it is
