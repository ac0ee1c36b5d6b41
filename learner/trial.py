"""What a trial saw: a version's episodes and the champion's, paired by scene.

A scene is counted once both have run it, in the order of the scenes and never past a gap: short
episodes end first, and counting whatever has ended would favour them.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from policy.schema import Outcome, SceneSplit, Source
from policy.statistics import wilson_interval
from storage.episode_index import EndedEpisode, EpisodeIndex

_MAX_OVERTAKES = 50
"""Pairs beyond a gap after which its scene is given up: whoever ran it is gone."""

_SETTLED_SHARE = 0.95
"""Of episodes at work; the few that are longer (a person paused one for lunch) must not stop the count."""

Scene = tuple[str, int]
"""(task, scene seed), or (task, number) for episodes at work."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attempt:
    """One episode without help."""

    is_success: bool
    num_steps: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pair:
    """Two attempts at one scene."""

    task: str
    ours: Attempt
    theirs: Attempt

    @property
    def difference(self) -> int:
        """1 where only the candidate succeeded, -1 where only the champion did."""
        return int(self.ours.is_success) - int(self.theirs.is_success)

    @property
    def speed(self) -> int:
        """1 where both succeeded and the candidate was quicker, -1 where it was slower, else 0."""
        if not (self.ours.is_success and self.theirs.is_success):
            return 0
        quicker = self.theirs.num_steps - self.ours.num_steps
        return (quicker > 0) - (quicker < 0)


def gate_attempts(index: EpisodeIndex, version: str) -> dict[Scene, Attempt]:
    """A version's evaluation episodes on gate scenes."""
    found: dict[Scene, Attempt] = {}
    for episode, outcome in _episodes(index, version, Source.EVALUATION):
        if episode.scene_seed in SceneSplit.GATE.value:
            found.setdefault((episode.task_id, episode.scene_seed), _attempt(episode, outcome))
    return found


def work_attempts(index: EpisodeIndex, version: str, since_ns: int) -> dict[Scene, Attempt]:
    """A version's episodes at work since a time, numbered per task in the order in which they started.

    Success means success without help. Only those that started before `_settled_ns` count: by then
    nearly all have ended, the long ones too, whatever the number of robots.
    """
    found: dict[Scene, Attempt] = {}
    num_of_task: dict[str, int] = {}
    until_ns = _settled_ns(index, since_ns)
    rollouts = [
        (episode, outcome)
        for episode, outcome in _episodes(index, version, Source.ROLLOUT)
        if since_ns <= episode.started_ns <= until_ns
    ]
    for episode, outcome in sorted(rollouts, key=lambda item: item[0].started_ns):
        number = num_of_task.get(episode.task_id, 0)
        num_of_task[episode.task_id] = number + 1
        attempt = _attempt(episode, outcome)
        alone = attempt.is_success and episode.num_correction_steps == 0
        found[episode.task_id, number] = dataclasses.replace(attempt, is_success=alone)
    return found


def robot_minutes(index: EpisodeIndex, version: str, since_ns: int) -> float:
    """How long robots worked with a version, in robot time, in episodes that ended since a time."""
    return sum(
        episode.num_steps / episode.control_rate_hz / 60
        for episode in index.episodes.values()
        if episode.policy_version == version
        and episode.source == Source.ROLLOUT
        and episode.ended_ns >= since_ns
        and episode.control_rate_hz > 0
    )


def paired(ours: Mapping[Scene, Attempt], theirs: Mapping[Scene, Attempt]) -> list[Pair]:
    """Scenes that both ran, in order, up to the first gap."""
    both = ours.keys() & theirs.keys()
    num_left = len(both)
    pairs = []
    for scene in sorted(ours.keys() | theirs.keys(), key=lambda s: (s[1], s[0])):
        if scene in both:
            pairs.append(Pair(task=scene[0], ours=ours[scene], theirs=theirs[scene]))
            num_left -= 1
        elif num_left <= _MAX_OVERTAKES:
            break
    return pairs


def summary(pairs: Sequence[Pair]) -> dict[str, object]:
    """Counts, rates and intervals per task, as they go into the ledger."""
    return {
        task: {
            "num_pairs": len(own),
            "candidate": _rate([pair.ours.is_success for pair in own]),
            "champion": _rate([pair.theirs.is_success for pair in own]),
            "only_candidate": sum(pair.difference > 0 for pair in own),
            "only_champion": sum(pair.difference < 0 for pair in own),
            "quicker": sum(pair.speed > 0 for pair in own),
            "slower": sum(pair.speed < 0 for pair in own),
        }
        for task, own in by_task(pairs).items()
    }


def by_task(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """Pairs per task, in their order."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.task, []).append(pair)
    return groups


def _settled_ns(index: EpisodeIndex, since_ns: int) -> int:
    """The last start of an episode at work whose end must be known by now, going by nearly all that ended."""
    rollouts = [e for e in index.episodes.values() if e.source == Source.ROLLOUT and e.started_ns >= since_ns]
    if not rollouts:
        return since_ns
    lengths_ns = sorted(e.ended_ns - e.started_ns for e in rollouts)
    return max(e.ended_ns for e in rollouts) - lengths_ns[int(_SETTLED_SHARE * (len(lengths_ns) - 1))]


def _rate(successes: Sequence[bool]) -> dict[str, float]:
    interval = wilson_interval(sum(successes), len(successes))
    return {"rate": interval.estimate, "low": interval.low, "high": interval.high}


def _attempt(episode: EndedEpisode, outcome: str) -> Attempt:
    return Attempt(is_success=outcome == Outcome.SUCCESS, num_steps=episode.num_steps)


def _episodes(index: EpisodeIndex, version: str, source: Source) -> list[tuple[EndedEpisode, str]]:
    """Episodes of a version with a known outcome; those that were cut have none."""
    found = []
    for episode in index.episodes.values():
        if episode.policy_version == version and episode.source == source:
            outcome = index.outcome(episode.episode_id)
            if outcome != Outcome.UNLABELLED:
                found.append((episode, outcome))
    return found
