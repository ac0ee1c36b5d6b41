"""Training: one update, and a round of them that can be cut and taken up anywhere."""

import dataclasses
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from learner import train_state
from learner.data import Data
from learner.experience import Int64
from learner.goals import GOAL_ONLY
from learner.labels import Algorithm
from learner.losses import drop_indicators, noise_generator, sample_losses
from learner.sampler import Draw, Sampler
from learner.train_state import TrainState
from learner.update import UpdateConfig, apply_gradients, average, learning_rate, set_learning_rate


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Round:
    """What stays the same over a round's updates."""

    data: Data
    sampler: Sampler
    algorithm: Algorithm
    config: UpdateConfig
    is_scheduled: bool = True
    """Whether the learning rate falls over the round; continual training keeps it."""

    @classmethod
    def of(
        cls, state: TrainState, data: Data, algorithm: Algorithm, config: UpdateConfig, *, is_scheduled: bool = True
    ) -> "Round":
        """The round that a train state is in."""
        sampler = Sampler(data.experience, state.labels, algorithm.mix(state.labels), seed=state.seed)
        return cls(data=data, sampler=sampler, algorithm=algorithm, config=config, is_scheduled=is_scheduled)

    def num_scheduled(self, state: TrainState) -> int:
        """Updates over which the learning rate falls; 0 for none."""
        return state.num_updates if self.is_scheduled else 0


class Engine(Protocol):
    """Who takes the optimizer's steps of a round; between two of them the newest weights may be its alone."""

    def step(self, state: TrainState, round: Round, steps: Int64, indicator: Int64) -> NDArray[np.float32]:
        """Lower the loss of drawn steps once; returns each one's, in their order.

        Args:
            state: whose update this is.
            round: its data and settings.
            steps: int64[B].
            indicator: int64[B], what each sample is told.
        """

    def settle(self, state: TrainState) -> None:
        """Bring the state's weights, averages and optimizer up to date: before it is saved or published."""


class LocalEngine:
    """The optimizer of the state itself, in this process."""

    def step(self, state: TrainState, round: Round, steps: Int64, indicator: Int64) -> NDArray[np.float32]:
        """Shard by shard, then one step."""
        config, shards = round.config, range(round.config.num_shards)
        state.optimizer.zero_grad()
        parts = zip(shards, np.split(steps, len(shards)), np.split(indicator, len(shards)), strict=True)
        losses = [_shard_losses(state, round, *part) for part in parts]
        set_learning_rate(state.optimizer, learning_rate(config, state.update, round.num_scheduled(state)))
        apply_gradients(state.optimizer, state.policy.network.parameters(), config)
        average(state.ema, state.policy.network, config.ema_decay, state.update)
        return np.concatenate(losses)

    def settle(self, state: TrainState) -> None:
        """Nothing is anywhere else."""


LOCAL = LocalEngine()
Engines = Callable[[TrainState, Round], AbstractContextManager[Engine]]
"""Opens the engine of a round, where its state stands."""


def local_engine(state: TrainState, round: Round) -> AbstractContextManager[Engine]:
    """The engine of a learner that trains in its own process."""
    return nullcontext(LOCAL)


def one_update(state: TrainState, round: Round, engine: Engine = LOCAL) -> float:
    """Draw, condition, step; returns the mean loss."""
    draw = round.sampler.draw(state.update, round.config.batch_size, state.online)
    state.counts.add(round.data.experience, draw.steps, time.time_ns())
    indicator = np.where(draw.is_imitated, state.labels.indicator[draw.steps], GOAL_ONLY)
    told = drop_indicators(indicator, round.algorithm.indicator_dropout, seed=state.seed, update=state.update)
    losses = engine.step(state, round, draw.steps, told)
    observe(state, draw, losses)
    state.losses.append(float(losses.mean()))
    state.update += 1
    return state.losses[-1]


def _shard_losses(state: TrainState, round: Round, shard: int, steps: Int64, indicator: Int64) -> NDArray[np.float32]:
    """Add one shard's share to the gradients; returns its samples' losses."""
    batch = round.data.chunks(steps, state.policy.config.horizon, indicator)
    generator = noise_generator(state.policy.device, seed=state.seed, update=state.update, shard=shard)
    losses = sample_losses(state.policy, batch, generator)
    (losses.mean() / round.config.num_shards).backward()  # type: ignore[no-untyped-call]
    return np.asarray(losses.detach().cpu().numpy())


def observe(state: TrainState, draw: Draw, losses: NDArray[np.float32]) -> None:
    """Tell SOP's rule the losses of this update, per task and kind."""
    for task in np.unique(draw.task):
        for is_online in (False, True):
            chosen = losses[(draw.task == task) & draw.is_imitated & (draw.is_online == is_online)]
            if len(chosen):
                state.online.observe(int(task), is_online=is_online, loss=float(chosen.mean()))


def train(
    state: TrainState,
    round: Round,
    engine: Engine,
    *,
    directory: Path,
    save_updates: int,
    should_stop: Callable[[], bool],
    on_update: Callable[[TrainState], None],
) -> bool:
    """Do the round's remaining updates, saving now and then; False where it was stopped before the end."""
    while not state.is_trained:
        is_stopped = should_stop()
        if not is_stopped:
            one_update(state, round, engine)
            on_update(state)
        if is_stopped or state.is_trained or state.update % save_updates == 0:
            engine.settle(state)
            train_state.save(directory, state)
        if is_stopped:
            return False
    return True
