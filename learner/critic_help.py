"""When a falling value asks for a person, and whether it was right to: pure functions and small state.

    DropWatch         one episode: how far the smoothed value fell within the last seconds of robot time
    DropCalibration   one task: how far it falls in episodes that end well without help, hence what is unusual
    HelpRules         at most one request an episode, and some time between two of one robot
    alarm_quality     requests against what became of their episodes

The threshold is a conformal quantile (Vovk et al., 2005; FAIL-Detect, arXiv 2503.08558, for robot policies):
as long as successful episodes are alike, at most 1 - `coverage` of them asks for help without need.
"""

import collections
import dataclasses
import math
import statistics
from collections.abc import Collection, Iterable, Mapping

from policy.errors import ConfigError
from policy.statistics import conformal_quantile

_SMOOTHED = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class DropConfig:
    """When a falling value is a reason to ask."""

    window_s: float = 3.0
    """Robot time within which the fall is measured."""
    coverage: float = 0.95
    """Share of successful episodes that shall end without a request."""
    min_episodes: int = 20
    """Successful episodes of a task without help, below which nothing is asked."""
    max_episodes: int = 200
    """Newest such episodes that the threshold is taken from."""
    quiet_s: float = 20.0
    """Shortest wall time between two requests for one robot."""
    min_fall: float = 0.05
    """Smallest fall that is worth a person, of values in [-1, 0]: successes may hardly fall at all."""
    min_scored_share: float = 0.5
    """Share of an episode's steps with a value, below which it says nothing of how far values fall."""

    def __post_init__(self) -> None:
        for name in ("min_fall", "min_scored_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie in [0, 1]", value=getattr(self, name))
        if not 0 < self.coverage < 1:
            raise ConfigError("coverage must lie between 0 and 1", value=self.coverage)
        if not self.window_s > 0 or self.quiet_s < 0:
            raise ConfigError("window_s must be above 0 and quiet_s not negative", window_s=self.window_s)
        if not 1 <= self.min_episodes <= self.max_episodes:
            raise ConfigError(
                "min_episodes must be 1 to max_episodes", value=self.min_episodes, max_episodes=self.max_episodes
            )


class DropWatch:
    """The value of one episode, smoothed, and how far it fell."""

    def __init__(self, window_steps: int) -> None:
        self._window_steps = window_steps
        self.restart()

    def restart(self) -> None:
        """Look at what comes from here on: somebody else moved the robot in between."""
        self._newest: collections.deque[float] = collections.deque(maxlen=_SMOOTHED)
        self._smoothed: collections.deque[tuple[int, float]] = collections.deque()

    def add(self, step_index: int, value: float) -> float:
        """Take a value in, in order; returns the fall from the highest point within the window."""
        self._newest.append(value)
        if len(self._newest) < _SMOOTHED:
            return 0.0
        now = statistics.median(self._newest)
        self._smoothed.append((step_index, now))
        while self._smoothed[0][0] < step_index - self._window_steps:
            self._smoothed.popleft()
        return max(smoothed for _, smoothed in self._smoothed) - now


def largest_fall(values: Mapping[int, float], window_steps: int) -> float:
    """How far the values of one episode, by step index, fell at most within the window."""
    watch = DropWatch(window_steps)
    return max((watch.add(step_index, values[step_index]) for step_index in sorted(values)), default=0.0)


class DropCalibration:
    """The largest falls of recent successful episodes, by task."""

    def __init__(self, config: DropConfig) -> None:
        self._config = config
        self._falls: dict[str, collections.deque[float]] = {}

    def add(self, task_id: str, largest_fall: float) -> None:
        """An episode ended well without help."""
        falls = self._falls.setdefault(task_id, collections.deque(maxlen=self._config.max_episodes))
        falls.append(largest_fall)

    def threshold(self, task_id: str) -> float:
        """The fall above which to ask; infinite while too few episodes are known."""
        falls = self._falls.get(task_id, ())
        if len(falls) < self._config.min_episodes:
            return math.inf
        return max(self._config.min_fall, conformal_quantile(list(falls), self._config.coverage))

    def clear(self) -> None:
        """Another critic's values fall otherwise."""
        self._falls.clear()


class HelpRules:
    """Who may ask now."""

    def __init__(self, config: DropConfig) -> None:
        self._config = config
        self._last: dict[str, tuple[str, float]] = {}

    def may_ask(self, robot_id: str, episode_id: str, now_s: float) -> bool:
        """Whether a request would be the episode's first, and long enough after the robot's last; if so, it counts."""
        last_episode, last_s = self._last.get(robot_id, ("", -math.inf))
        if episode_id == last_episode or now_s - last_s < self._config.quiet_s:
            return False
        self._last[robot_id] = (episode_id, now_s)
        return True


@dataclasses.dataclass(frozen=True, kw_only=True)
class WatchedEpisode:
    """An ended episode in which a request was possible."""

    episode_id: str
    is_success: bool
    is_helped: bool
    """A person had control at some time."""

    @property
    def was_in_need(self) -> bool:
        """It failed, or a person saw a reason to take over."""
        return self.is_helped or not self.is_success


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlarmQuality:
    """What requests were worth."""

    num_right: int
    """Requests in episodes that were in need."""
    num_false_alarms: int
    """Requests in episodes that ended well by themselves."""
    num_missed: int
    """Episodes that failed without a request and without help."""

    @property
    def precision(self) -> float:
        """Share of requests that were right; NaN where there is none."""
        num_requests = self.num_right + self.num_false_alarms
        return self.num_right / num_requests if num_requests else math.nan

    @property
    def recall(self) -> float:
        """Share of episodes in need, missed ones included, that asked; NaN where there is none.

        Helped episodes without a request are left out: the person may have been quicker than the critic.
        """
        num_needed = self.num_right + self.num_missed
        return self.num_right / num_needed if num_needed else math.nan


def alarm_quality(requested: Collection[str], episodes: Iterable[WatchedEpisode]) -> AlarmQuality:
    """Count requests (their episodes' ids) against what became of the episodes."""
    results = [alarm_result(requested, episode) for episode in episodes]
    return AlarmQuality(
        num_right=results.count("right"),
        num_false_alarms=results.count("false_alarm"),
        num_missed=results.count("missed"),
    )


def alarm_result(requested: Collection[str], episode: WatchedEpisode) -> str:
    """right, false_alarm, missed, or empty where there was nothing to say about a request."""
    if episode.episode_id in requested:
        return "right" if episode.was_in_need else "false_alarm"
    return "missed" if not episode.is_success and not episode.is_helped else ""


def reason(fall: float, window_s: float) -> str:
    """The request in words."""
    return f"value fell {fall:.2f} in {window_s:g} s"
