"""Episodes of the live stream, kept until it is known how they went.

When an episode has ended and somebody has said how, its live values meet their returns: as `Value` records
under the critic's version with the ending `-live`, so that calibration can be watched between two rounds, on
episodes that no network has seen, beside what the learner writes about the same steps and never instead of it.
"""

import collections
import dataclasses
from collections.abc import Iterator

import numpy as np

from learner.advantage import Float64, Returns, advantages, returns, split
from learner.critic_checkpoint import Critic, TaskScale
from learner.experience import Experience
from learner.live_values import ScoredStep, SeenStep
from policy.schema import LIVE_SUFFIX, ControlMode, Episode, Label, Outcome, Value

_HELD = (ControlMode.PAUSED, ControlMode.LOST, ControlMode.STOPPED)
_MAX_EPISODES = 512
"""Episodes that are running or wait for a label; the oldest is given up."""


@dataclasses.dataclass(kw_only=True, eq=False)
class LiveEpisode:
    """One episode as far as it was seen."""

    episode_id: str
    task_id: str
    source: str
    modes: list[str] = dataclasses.field(default_factory=list)
    """Control mode of every step."""
    values: dict[int, float] = dataclasses.field(default_factory=dict)
    """Value by step index; steps that were dropped have none."""
    num_steps: int = 0
    """As the robot says at the end; 0 while it runs."""
    outcome: str = Outcome.UNLABELLED

    @property
    def is_over(self) -> bool:
        """Ended, judged, and all of its steps seen."""
        return 0 < self.num_steps <= len(self.modes) and self.outcome != Outcome.UNLABELLED

    @property
    def is_success(self) -> bool:
        """Whether it ended well."""
        return self.outcome == Outcome.SUCCESS

    @property
    def is_helped(self) -> bool:
        """Whether anybody but the policy had a hand in it."""
        return any(mode != ControlMode.AUTONOMOUS for mode in self.modes)


class LiveEpisodes:
    """Running episodes, and ended ones that wait for a label."""

    def __init__(self) -> None:
        self._episodes: collections.OrderedDict[str, LiveEpisode] = collections.OrderedDict()

    def saw(self, step: SeenStep) -> None:
        """Take note of a step; an episode that was not seen from its first step on is not followed."""
        episode = self._episodes.get(step.episode_id)
        if episode is None and step.step_index == 0:
            episode = LiveEpisode(episode_id=step.episode_id, task_id=step.task_id, source=step.source)
            self._episodes[step.episode_id] = episode
            if len(self._episodes) > _MAX_EPISODES:
                self._episodes.popitem(last=False)
        if episode is None or step.step_index < len(episode.modes):
            return
        if step.step_index > len(episode.modes):
            del self._episodes[step.episode_id]
            return
        episode.modes.append(step.control_mode)

    def scored(self, scored: ScoredStep) -> None:
        """Keep a value."""
        if (episode := self._episodes.get(scored.step.episode_id)) is not None:
            episode.values[scored.step.step_index] = scored.value

    def ended(self, record: Episode) -> None:
        """The robot says that an episode is over."""
        if (episode := self._episodes.get(record.episode_id)) is not None:
            episode.num_steps = record.num_steps
            if episode.outcome == Outcome.UNLABELLED:
                episode.outcome = record.outcome

    def labelled(self, label: Label) -> None:
        """Somebody says how it went; wins over the robot's own judgement."""
        if (episode := self._episodes.get(label.episode_id)) is not None:
            episode.outcome = label.outcome

    def take_over(self) -> list[LiveEpisode]:
        """Episodes of which all is known now; each is returned once."""
        over = [episode for episode in self._episodes.values() if episode.is_over]
        for episode in over:
            del self._episodes[episode.episode_id]
        return over

    def clear(self) -> None:
        """Another critic scores from now on: values of two critics make no curve."""
        self._episodes.clear()


def value_records(episode: LiveEpisode, critic: Critic, *, boot_id: str, first_seq: int) -> Iterator[Value]:
    """Live values with what became of them, where value, return and advantage are known."""
    scale = critic.tasks.get(episode.task_id)
    if scale is None:
        return
    num_steps = episode.num_steps
    value = np.array([episode.values.get(index, np.nan) for index in range(num_steps)])
    experience = _experience(episode)
    segments = split(experience, critic.advantage)
    outcome = _returns(experience, scale, critic)
    advantage = advantages(outcome, segments, value, critic.advantage)
    is_positive = experience.is_autonomous & (advantage > scale.advantage_threshold)
    if not critic.advantage.positive_in_failures:
        is_positive &= segments.is_success[segments.of_step]
    is_positive |= experience.is_correction
    known = np.isfinite(value) & np.isfinite(outcome.return_to_go) & np.isfinite(advantage)
    for seq, step in enumerate(np.flatnonzero(known), start=first_seq):
        yield Value(
            boot_id=boot_id,
            seq=seq,
            critic_version=critic.version + LIVE_SUFFIX,
            episode_id=episode.episode_id,
            step_index=int(step),
            value=float(value[step]),
            return_to_go=float(outcome.return_to_go[step]),
            advantage=float(advantage[step]),
            improvement_indicator=bool(is_positive[step]),
        )


def _experience(episode: LiveEpisode) -> Experience:
    modes = np.array(episode.modes[: episode.num_steps])
    return Experience(
        start=np.zeros(1, np.int64),
        length=np.array([episode.num_steps], np.int64),
        is_success=np.array([episode.is_success]),
        is_failure=np.array([not episode.is_success]),
        task=np.zeros(1, np.int64),
        is_demonstration=np.zeros(1, np.bool_),
        is_held_out=np.zeros(1, np.bool_),
        is_correction=np.asarray(modes == ControlMode.CORRECTING, np.bool_),
        is_held=np.isin(modes, _HELD),
        row=np.arange(episode.num_steps),
    )


def _returns(experience: Experience, scale: TaskScale, critic: Critic) -> Returns:
    """Returns on the scale that the critic was trained on, not on that of this episode alone.

    An episode longer than any that the critic knows would leave [-1, 0]; no value can follow it there.
    """
    config = dataclasses.replace(critic.advantage, failure_cost_steps=scale.failure_cost_steps)
    own = returns(experience, split(experience, config), config)
    divisor = float(experience.length[0]) + scale.failure_cost_steps
    factor = divisor / (scale.longest_steps + scale.failure_cost_steps)
    clipped: Float64 = np.maximum(own.return_to_go * factor, -1.0)
    return Returns(reward=own.reward * factor, return_to_go=clipped)
