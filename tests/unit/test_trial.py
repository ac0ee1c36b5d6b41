"""Which episodes at work count: in order of their start, and none while a longer one may still be running."""

from typing import cast

from learner.trial import robot_minutes, work_attempts
from storage.episode_index import EndedEpisode, EpisodeIndex

SECOND = 1_000_000_000


class Index:
    """Ended episodes by hand."""

    def __init__(self) -> None:
        self.episodes: dict[str, EndedEpisode] = {}

    def add(
        self,
        version: str,
        started_s: int,
        ended_s: int,
        outcome: str = "success",
        *,
        source: str = "rollout",
        num_corrections: int = 0,
    ) -> None:
        episode_id = f"e{len(self.episodes)}"
        self.episodes[episode_id] = EndedEpisode(
            episode_id=episode_id,
            spec_id="s",
            robot_id="r",
            boot_id="b",
            source=source,
            scene_seed=0,
            task_id="plug",
            instruction="",
            policy_version=version,
            release_role="",
            started_ns=started_s * SECOND,
            ended_ns=ended_s * SECOND,
            num_steps=(ended_s - started_s) * 20,
            num_correction_steps=num_corrections,
            num_interventions=0,
            control_rate_hz=20.0,
            outcome=outcome,
            outcome_reason="",
            kafka_offset=0,
        )

    def outcome(self, episode_id: str) -> str:
        return self.episodes[episode_id].outcome

    def attempts(self, version: str, since_s: int = 0) -> list[tuple[int, bool, int]]:
        found = work_attempts(cast(EpisodeIndex, self), version, since_s * SECOND)
        return [(number, attempt.is_success, attempt.num_steps) for (_, number), attempt in sorted(found.items())]


def test_a_quick_success_does_not_count_before_a_slow_failure_that_began_with_it() -> None:
    index = Index()
    # Robots that started together: the first to end are the quick successes.
    for number in range(20):
        index.add("1", started_s=10 * number, ended_s=10 * number + 2)
    index.add("1", started_s=150, ended_s=190, outcome="failure")
    counted = index.attempts("1")
    # All end by 192 s and nearly all take 2 s, so a start at 190 s is settled.
    assert len(counted) == 21
    for number in range(20):
        index.add("1", started_s=200 + 10 * number, ended_s=240 + 10 * number, outcome="failure")
    index.add("1", started_s=420, ended_s=422)
    # Half take 40 s now, and the last end is at 430 s: what started after 390 s is not settled.
    assert [number for number, _, _ in index.attempts("1")] == list(range(41))


def test_success_at_work_is_success_without_help_since_the_trial_began() -> None:
    index = Index()
    index.add("1", 0, 2)
    index.add("1", 10, 12, num_corrections=3)
    index.add("1", 20, 22, "failure")
    index.add("1", 30, 32)
    index.add("1", 35, 37, "unlabelled")
    index.add("2", 40, 42)
    assert index.attempts("1", since_s=5) == [(0, False, 40), (1, False, 40), (2, True, 40)]
    assert index.attempts("3") == []


def test_robot_minutes_count_robot_time_at_work() -> None:
    index = Index()
    index.add("2", 0, 30)
    index.add("2", 30, 90, "failure")
    index.add("2", 90, 150, source="evaluation")
    index.add("1", 90, 150)
    assert robot_minutes(cast(EpisodeIndex, index), "2", 0) == 1.5
    assert robot_minutes(cast(EpisodeIndex, index), "2", 60 * SECOND) == 1.0
