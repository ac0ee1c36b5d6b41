"""The live critic: scores the newest steps of every robot, shows the values, asks for help when one falls.

    take_steps, take_episode, take_label     what came since
    cycle(critic)                            score, show, ask, and close what is over

No thread, no socket, no broker of its own: `critic_service.py` feeds it and passes on what it says.
"""

import collections
import dataclasses
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import pyarrow as pa

from corrections import answers
from corrections.help_messages import LiveValue, RaiseHelp
from infra.bus import Producer
from infra.metrics import Metrics
from infra.topics import VALUES
from learner import critic_help
from learner.critic_checkpoint import Critic
from learner.critic_help import DropCalibration, DropConfig, DropWatch, HelpRules, WatchedEpisode
from learner.live_episodes import LiveEpisode, LiveEpisodes, value_records
from learner.live_values import PendingSteps, ScoredStep, read_steps, score
from policy.errors import BusUnavailable, ConfigError
from policy.schema import ControlMode, Episode, Fallback, HelpKind, Label, Severity, Source

_LOG = logging.getLogger(__name__)
TRIGGER = "value_drop"
OPTIONS = (answers.TAKE_OVER, answers.TRY_AGAIN, answers.GO_ON)
_QUESTION = "It seems to get worse. What should the robot do?"
_MAX_JUDGED = 500
"""Newest ended episodes over which requests are counted right or wrong."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LiveCriticConfig:
    """How live steps are scored."""

    period_s: float = 0.25
    """Pause between two batches: a share of the 2 s within which a value is to be seen."""
    max_steps: int = 64
    """Steps of one batch; of what is more, the oldest are dropped."""
    poll_s: float = 2.0
    """Between looks for a newer critic."""
    niceness: int = 10
    """By how much robots on the same machine come first."""
    answer_within_s: float = 30.0
    """How long a request for help stays open; the robot goes on meanwhile."""

    def __post_init__(self) -> None:
        for name in ("period_s", "max_steps", "poll_s", "answer_within_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be above 0", value=getattr(self, name))
        if not 0 <= self.niceness <= 19:
            raise ConfigError("niceness must be 0 to 19", value=self.niceness)


class Audience(Protocol):
    """Who hears of values and requests; no call may wait."""

    def show(self, values: Sequence[LiveValue]) -> None:
        """The newest value of some robots."""

    def ask(self, request: RaiseHelp) -> None:
        """A robot needs a person."""

    def take_refused(self) -> Sequence[str]:
        """Episodes for which asking was refused since the last call: a person had the robot, or knew better."""


class LiveCritic:
    """One critic's view of the whole fleet."""

    def __init__(
        self,
        *,
        audience: Audience,
        producer: Producer,
        metrics: Metrics,
        boot_id: str,
        config: LiveCriticConfig = LiveCriticConfig(),
        drop: DropConfig = DropConfig(),  # noqa: B008 - frozen
        clock_s: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`producer` takes the values of ended episodes; `boot_id` names their writer."""
        self._audience, self._producer, self._metrics = audience, producer, metrics
        self._boot_id, self._config, self._drop = boot_id, config, drop
        self._clock_s, self._wall_ns = clock_s, wall_ns
        self._critic: Critic | None = None
        self._pending = PendingSteps(config.max_steps)
        self._episodes = LiveEpisodes()
        self._watches: dict[str, tuple[str, DropWatch]] = {}
        """By robot: its episode and how its value fell."""
        self._calibration, self._rules = DropCalibration(drop), HelpRules(drop)
        self._requested: collections.deque[str] = collections.deque(maxlen=_MAX_JUDGED)
        self._judged: collections.deque[WatchedEpisode] = collections.deque(maxlen=_MAX_JUDGED)
        self._num_values = 0

    def take_steps(self, batch: pa.RecordBatch) -> None:
        """Steps of one message; nothing waits while there is no critic."""
        if self._critic is None:
            return
        for step in read_steps(batch):
            if step.spec_id != self._critic.spec.spec_id:
                self._metrics.count("touchline_critic_steps_total", result="other_embodiment")
                continue
            self._episodes.saw(step)
            self._pending.add(step)

    def take_episode(self, episode: Episode) -> None:
        """An episode ended."""
        self._episodes.ended(episode)

    def take_label(self, label: Label) -> None:
        """Somebody judged an episode."""
        self._episodes.labelled(label)

    def cycle(self, critic: Critic | None) -> None:
        """Score what waits with this critic and draw the consequences."""
        self._take_back(self._audience.take_refused())
        if critic is not self._critic:
            self._swap(critic)
        if critic is None:
            return
        steps, num_dropped = self._pending.take(self._config.max_steps)
        scored = score(critic, steps)
        self._metrics.count("touchline_critic_steps_total", len(scored), result="scored")
        self._metrics.count("touchline_critic_steps_total", num_dropped, result="dropped")
        self._metrics.count("touchline_critic_steps_total", len(steps) - len(scored), result="damaged")
        self._show(scored, critic)
        for one in scored:
            self._episodes.scored(one)
            self._watch(one, critic)
        for episode in self._episodes.take_over():
            self._close(episode, critic)

    def _swap(self, critic: Critic | None) -> None:
        """Values of two critics make no curve, and what is unusual for one is not for the other."""
        self._critic = critic
        self._pending.take(0)
        self._episodes.clear()
        self._watches.clear()
        self._calibration.clear()

    def _show(self, scored: Sequence[ScoredStep], critic: Critic) -> None:
        if not scored:
            return
        newest = {one.step.robot_id: one for one in scored}
        self._audience.show(
            [
                LiveValue(
                    robot_id=robot_id,
                    episode_id=one.step.episode_id,
                    step_index=one.step.step_index,
                    value=one.value,
                    critic_version=critic.version,
                )
                for robot_id, one in newest.items()
            ]
        )
        now_ns = self._wall_ns()
        for one in newest.values():
            age_s = (now_ns - one.step.time_ns) / 1e9
            self._metrics.observe("touchline_critic_value_age_seconds", max(0.0, age_s))

    def _watch(self, scored: ScoredStep, critic: Critic) -> None:
        step = scored.step
        episode_id, watch = self._watches.get(step.robot_id, ("", None))
        if watch is None or episode_id != step.episode_id:
            watch = DropWatch(self._window_steps(critic))
            self._watches[step.robot_id] = (step.episode_id, watch)
        if step.control_mode != ControlMode.AUTONOMOUS:
            watch.restart()
            return
        fall = watch.add(step.step_index, scored.value)
        # Evaluation is without help, so it asks for none.
        if step.source != Source.ROLLOUT or fall <= self._calibration.threshold(step.task_id):
            return
        if self._rules.may_ask(step.robot_id, step.episode_id, self._clock_s()):
            self._ask(step.robot_id, step.episode_id, fall)

    def _ask(self, robot_id: str, episode_id: str, fall: float) -> None:
        reason = critic_help.reason(fall, self._drop.window_s)
        self._requested.append(episode_id)
        self._metrics.count("touchline_help_requests_total", type=TRIGGER, result="asked")
        _LOG.info("asked for help", extra={"robot_id": robot_id, "episode_id": episode_id, "reason": reason})
        self._audience.ask(
            RaiseHelp(
                robot_id=robot_id,
                episode_id=episode_id,
                kind=HelpKind.CHOOSE,
                trigger=TRIGGER,
                severity=Severity.WARNING,
                reason=reason,
                question=_QUESTION,
                options=OPTIONS,
                deadline_s=self._config.answer_within_s,
                fallback=Fallback.CONTINUE,
            )
        )

    def _take_back(self, refused: Sequence[str]) -> None:
        """What nobody was shown is no request."""
        for episode_id in refused:
            if episode_id in self._requested:
                self._requested.remove(episode_id)
                self._metrics.count("touchline_help_requests_total", type=TRIGGER, result="refused")

    def _close(self, episode: LiveEpisode, critic: Critic) -> None:
        self._keep(episode, critic)
        if episode.source != Source.ROLLOUT:
            return
        if math.isfinite(self._calibration.threshold(episode.task_id)):
            self._judge(episode)
        is_seen = len(episode.values) >= self._drop.min_scored_share * episode.num_steps
        if episode.is_success and not episode.is_helped and is_seen:
            largest = critic_help.largest_fall(episode.values, self._window_steps(critic))
            self._calibration.add(episode.task_id, largest)

    def _judge(self, episode: LiveEpisode) -> None:
        """Count what a request for this episode, or its absence, was worth."""
        ended = WatchedEpisode(
            episode_id=episode.episode_id, is_success=episode.is_success, is_helped=episode.is_helped
        )
        self._judged.append(ended)
        if result := critic_help.alarm_result(self._requested, ended):
            self._metrics.count("touchline_help_requests_total", type=TRIGGER, result=result)
        quality = critic_help.alarm_quality(set(self._requested), self._judged)
        self._metrics.set("touchline_critic_help_quality", quality.precision, measure="precision")
        self._metrics.set("touchline_critic_help_quality", quality.recall, measure="recall")

    def _keep(self, episode: LiveEpisode, critic: Critic) -> None:
        records = list(value_records(episode, critic, boot_id=self._boot_id, first_seq=self._num_values))
        if not records:
            return
        try:
            self._producer.send(VALUES, records)
        except BusUnavailable as error:
            _LOG.warning("live values not kept: %s", error)
        else:
            self._num_values += len(records)

    def _window_steps(self, critic: Critic) -> int:
        return max(1, round(self._drop.window_s * critic.spec.control_rate_hz))
