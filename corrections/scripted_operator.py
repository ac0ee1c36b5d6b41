"""Scripted people: clients of the gateway like anybody else, for demonstrations and tests.

    lookout connection: all reports --> who needs help, and for how long already
    one connection per person:  acquire --> drive at 50 Hz --> hand back

They see the simulator's truth in the telemetry (`RobotState.privileged`), which is never recorded.
Everything random is seeded. A person holds one robot at a time.
"""

import asyncio
import contextlib
import dataclasses
import functools
import logging
import random
import time
from collections.abc import Callable

from corrections.corrector import Corrector, QualityConfig, can_correct
from corrections.lookout import Lookout, Need
from corrections.operator_client import OperatorClient, OperatorConfig
from corrections.operator_messages import Watch
from policy.errors import ConfigError, LeaseRefused
from policy.schema import ControlMode
from policy.spec import EmbodimentSpec

_LOG = logging.getLogger(__name__)
_NEWS_S = 0.25
_ASLEEP_NS = 1_000_000_000
"""A held robot that has not ticked for this long is between episodes: there is nothing to correct."""
_LOOK_REPORTS = 3
_RETRY_REPORTS = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScriptedConfig:
    """How many scripted people there are and how much they watch."""

    operators: int = 2
    """People in this process; each helps one robot at a time."""
    attention: float = 1.0
    """Share of episodes that anybody watches; the others get no help."""
    max_hold_s: float = 30.0
    """Longest takeover before the robot is handed back anyway."""
    seed: int = 0
    """Of everything random."""

    def __post_init__(self) -> None:
        if not 1 <= self.operators <= 64:
            raise ConfigError("operators must be 1 to 64", operators=self.operators)
        if not 0 <= self.attention <= 1:
            raise ConfigError("attention must lie in [0, 1]", attention=self.attention)
        if not self.max_hold_s > 0:
            raise ConfigError("max_hold_s must be above 0", max_hold_s=self.max_hold_s)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Takeover:
    """What became of one need."""

    need: Need
    claim_s: float
    """From the need to the lease."""
    hold_s: float
    """From the lease to the hand-back."""


class ScriptedOperators:
    """All scripted people of one process."""

    def __init__(
        self,
        config: ScriptedConfig,
        quality: QualityConfig,
        client: OperatorConfig,
        *,
        token: str | None = None,
        on_takeover: Callable[[Takeover], None] = lambda takeover: None,
    ) -> None:
        self._config = config
        self._quality = quality
        self._client = client
        self._token = token
        self._on_takeover = on_takeover
        self._takeovers: dict[str, tuple[str, int]] = {}
        """By robot: its latest episode and how often it was taken over in it."""
        self._rates_hz: dict[str, float] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        """Robots that somebody is helping, or reaching for."""

    async def run(self) -> None:
        """Help until cancelled.

        Raises:
            GatewayLost: the gateway went away; start again when it is back.
        """
        async with contextlib.AsyncExitStack() as stack:
            lookout = await stack.enter_async_context(self._connect("lookout", Watch()))
            free = [
                (await stack.enter_async_context(self._connect(str(n), Watch(is_all=False))), self._rng(n))
                for n in range(self._config.operators)
            ]
            stack.push_async_callback(self._drop_everything)
            await self._help(lookout, free)

    async def _help(self, eyes: OperatorClient, free: list[tuple[OperatorClient, random.Random]]) -> None:
        lookout = Lookout(self._quality, attention=self._config.attention, seed=self._config.seed)
        while True:
            await eyes.changed(_NEWS_S)
            self._learn_rates(eyes)
            now_ns = time.monotonic_ns()
            states = {robot_id: seen.state for robot_id, seen in eyes.seen.items()}
            lookout.update(states.values(), now_ns)
            for need in lookout.ripe(states, eyes.leases, self._rates_hz, now_ns):
                if not free:
                    break
                if need.robot_id not in self._busy:
                    person = free.pop(0)
                    task = asyncio.create_task(self._take_over(*person, need))
                    self._busy[need.robot_id] = task
                    task.add_done_callback(functools.partial(self._done, person, need.robot_id, free))

    def _done(
        self,
        person: tuple[OperatorClient, random.Random],
        robot_id: str,
        free: list[tuple[OperatorClient, random.Random]],
        task: asyncio.Task[None],
    ) -> None:
        self._busy.pop(robot_id, None)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            _LOG.warning("a takeover failed", extra={"robot_id": robot_id, "cause": str(error)})
        free.append(person)

    async def _take_over(self, client: OperatorClient, rng: random.Random, need: Need) -> None:
        await client.watch(Watch(is_all=False, robot_ids=(need.robot_id,)))
        try:
            await client.acquire(need.robot_id)
        except LeaseRefused as error:
            _LOG.info("not needed", extra={"robot_id": need.robot_id, "cause": str(error)})
            return
        granted_ns = time.monotonic_ns()
        try:
            await self._drive(client, rng, need)
        finally:
            if not client.lost_cause:
                await client.release()
        takeover = Takeover(
            need=need,
            claim_s=(granted_ns - need.since_ns) / 1e9,
            hold_s=(time.monotonic_ns() - granted_ns) / 1e9,
        )
        self._on_takeover(takeover)
        _LOG.info(
            "handed back",
            extra={
                "robot_id": need.robot_id,
                "episode_id": need.episode_id,
                "reason": need.reason,
                "hold_s": round(takeover.hold_s, 3),
            },
        )

    async def _drive(self, client: OperatorClient, rng: random.Random, need: Need) -> None:
        corrector = Corrector(
            need.task_id,
            self._quality,
            rng,
            self._rates_hz[need.robot_id],
            num_takeovers=self._count_takeover(need),
        )
        deadline_ns = time.monotonic_ns() + int(self._config.max_hold_s * 1e9)
        step_index, num_paused, moved_ns = -1, 0, time.monotonic_ns()
        while client.held is not None and time.monotonic_ns() < deadline_ns and not corrector.is_done:
            await client.changed(_NEWS_S)
            now_ns = time.monotonic_ns()
            if (seen := client.seen.get(need.robot_id)) is None or seen.state.step_index == step_index:
                if now_ns - moved_ns > _ASLEEP_NS:
                    return
                continue
            state, step_index, moved_ns = seen.state, seen.state.step_index, now_ns
            if state.episode_id != need.episode_id or not can_correct(state):
                return
            if state.mode is ControlMode.CORRECTING:
                client.drive(corrector.act(state), is_deadman_held=True)
            elif state.mode is ControlMode.PAUSED:
                # Press only after a look, and let go now and then: a robot that was LOST wants to
                # see the dead-man released once.
                num_paused += 1
                client.drive((0.0,), is_deadman_held=num_paused % _RETRY_REPORTS >= _LOOK_REPORTS)

    def _count_takeover(self, need: Need) -> int:
        episode_id, number = self._takeovers.get(need.robot_id, ("", 0))
        number = number + 1 if episode_id == need.episode_id else 1
        self._takeovers[need.robot_id] = (need.episode_id, number)
        return number

    def _learn_rates(self, eyes: OperatorClient) -> None:
        for robot_id, info in eyes.robots.items():
            if robot_id not in self._rates_hz:
                self._rates_hz[robot_id] = EmbodimentSpec.from_json(info.spec).control_rate_hz

    def _connect(self, name: str, watch: Watch) -> OperatorClient:
        operator_id = f"{self._client.operator_id}-{name}"
        config = dataclasses.replace(self._client, operator_id=operator_id)
        return OperatorClient(config, token=self._token, watch=watch)

    def _rng(self, number: int) -> random.Random:
        return random.Random(f"{self._config.seed}/{number}")

    async def _drop_everything(self) -> None:
        """Hand back what is held before the connections close, so that nobody is left LOST."""
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
