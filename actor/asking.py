"""A robot's request for a person: opened by a need, closed by its end, an answer or a deadline.

    need lasts       nobody answers      the robot copes as it did; at the deadline its fallback
    need is over                         the request is over
    "go on"                              the request is over, and that trigger mute for a while
    "try again"                          the episode is cut as timed out, the next one begins

The robot never waits for an answer. Times are the robot's own monotonic clock, so deadlines hold
without a gateway too.
"""

import dataclasses
from collections.abc import Callable, Sequence

from actor.needs import Need
from corrections import answers
from corrections.protocol import Help, HelpAnswered
from policy.errors import ConfigError
from policy.schema import Fallback, HelpKind, HelpResult

_S = 1_000_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class HelpConfig:
    """How long a robot that asks waits, and when its policy's own doubt makes it ask."""

    deadline_s: float = 60.0
    """How long a robot that copes waits for an answer; 0 for ever. Lost and stopped robots wait for ever."""
    fallback: Fallback = Fallback.CONTINUE
    """What it does then: continue, hold or end_episode."""
    mute_s: float = answers.MUTE_S
    """After "go on", how long the same trigger does not ask again."""
    late_tick_s: float = 0.5
    """In real time: a tick this much after the last one holds the robot and asks; 0 never."""
    late_chunk_s: float = 1.0
    """In real time: so long without an action to execute asks; 0 never."""
    spread_samples: int = 2
    """Chunks drawn for one observation to measure the policy's doubt, the executed one included; 0 is off."""
    spread_every: int = 4
    """Every so many chunks it is measured."""
    spread_coverage: float = 0.95
    """Share of autonomous successes that shall end without such a request."""
    spread_min_episodes: int = 20
    """So many such episodes before it may ask."""
    spread_max_episodes: int = 200
    """So many of the latest count."""

    def __post_init__(self) -> None:
        if min(self.deadline_s, self.mute_s, self.late_tick_s, self.late_chunk_s) < 0:
            raise ConfigError("help: times cannot be negative", **dataclasses.asdict(self))
        if self.spread_samples == 1 or self.spread_samples < 0 or self.spread_every < 1:
            raise ConfigError(
                "help.spread_samples must be 0 or at least 2, help.spread_every at least 1",
                spread_samples=self.spread_samples,
                spread_every=self.spread_every,
            )
        if not (0 < self.spread_coverage < 1 and 1 <= self.spread_min_episodes <= self.spread_max_episodes):
            raise ConfigError(
                "help needs 0 < spread_coverage < 1 and 1 <= spread_min_episodes <= spread_max_episodes",
                spread_coverage=self.spread_coverage,
                spread_min_episodes=self.spread_min_episodes,
            )


class Asker:
    """The one open request of a robot, over one episode after the other."""

    def __init__(self, config: HelpConfig, on_ask: Callable[[Help], None]) -> None:
        """`on_ask` hears of every new request, to record it."""
        self._config, self._on_ask = config, on_ask
        self.begin("")

    def begin(self, episode_id: str) -> None:
        """A new episode, or none (empty): what was asked in the last one is over."""
        self._episode_id = episode_id
        self._num_requests = 0
        self._since_ns = 0
        self._muted_until_ns: dict[str, int] = {}
        self._heeded: set[str] = set()
        self.help = Help()
        """The open request; its name is empty where there is none."""
        self.ending = ""
        """Why the episode is to end now, in words; empty where it is not."""
        self.is_holding = False
        """Whether nobody answered and the robot holds still until its request is over."""

    def heed(self, heard: Sequence[HelpAnswered], now_ns: int) -> None:
        """Do what people answered, each answer once; answers to other episodes are void."""
        for answered in heard:
            if answered.request_id in self._heeded or answered.episode_id != self._episode_id:
                continue
            self._heeded.add(answered.request_id)
            if answered.result is HelpResult.EXPIRED:
                self._fall_back(answered.trigger, answered.fallback, now_ns)
            elif answered.answer == answers.TRY_AGAIN:
                self.ending = f"{answered.author}: {answers.TRY_AGAIN}"
            elif answered.answer == answers.GO_ON:
                self._mute(answered.trigger, now_ns)
            if answered.request_id == self.help.request_id:
                self.help = Help()

    def update(self, needs: Sequence[Need], now_ns: int, *, is_free: bool) -> None:
        """Open, keep or close the request after a tick.

        Args:
            needs: what lasts now, gravest first; none while a person has the robot.
            now_ns: the robot's clock.
            is_free: the policy has the robot; one that holds goes on holding until that changes.
        """
        if self.is_holding and is_free:
            return
        self.is_holding = False
        awake = [need for need in needs if now_ns >= self._muted_until_ns.get(need.trigger, 0)]
        same = next((need for need in awake if need.trigger == self.help.trigger), None)
        if not awake:
            self.help = Help()
        elif same is None or same.severity != awake[0].severity:
            self._ask(awake[0], now_ns)
        elif self.help.deadline_s and now_ns - self._since_ns >= self.help.deadline_s * _S:
            trigger = self.help.trigger
            self.help = Help()
            self._fall_back(trigger, self._config.fallback, now_ns)

    def _ask(self, need: Need, now_ns: int) -> None:
        self._num_requests += 1
        self._since_ns = now_ns
        is_coping = need.kind is HelpKind.CHOOSE
        self.help = Help(
            request_id=f"{self._episode_id}-h{self._num_requests}",
            deadline_s=self._config.deadline_s if is_coping else 0.0,
            fallback=self._config.fallback if is_coping else Fallback.HOLD,
            **{field.name: getattr(need, field.name) for field in dataclasses.fields(need)},
        )
        self._on_ask(self.help)

    def _fall_back(self, trigger: str, fallback: Fallback, now_ns: int) -> None:
        """Nobody answered in time."""
        match fallback:
            case Fallback.CONTINUE:
                self._mute(trigger, now_ns)
            case Fallback.END_EPISODE:
                self.ending = "nobody answered in time"
            case Fallback.HOLD:
                need = Need(
                    trigger=trigger,
                    reason="nobody answered in time; it holds still",
                    kind=HelpKind.TAKE_OVER,
                    question="Take it over, and hand it back when it may go on.",
                    options=(),
                )
                self._ask(need, now_ns)
                self.is_holding = True

    def _mute(self, trigger: str, now_ns: int) -> None:
        self._muted_until_ns[trigger] = now_ns + int(self._config.mute_s * _S)
