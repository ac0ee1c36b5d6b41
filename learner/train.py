"""Training: one update, and a round of them that can be cut and taken up anywhere."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from learner import train_state
from learner.data import Data
from learner.experience import Int64
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


def one_update(state: TrainState, round: Round) -> float:
    """Draw, condition, step, average; returns the mean loss."""
    config = round.config
    draw = round.sampler.draw(state.update, config.batch_size, state.online)
    state.counts.add(round.data.experience, draw.steps, time.time_ns())
    told = drop_indicators(
        state.labels.indicator[draw.steps], round.algorithm.indicator_dropout, seed=state.seed, update=state.update
    )
    state.optimizer.zero_grad()
    losses = np.concatenate(
        [
            _shard_losses(state, round, steps, indicator, shard)
            for shard, (steps, indicator) in enumerate(
                zip(np.split(draw.steps, config.num_shards), np.split(told, config.num_shards), strict=True)
            )
        ]
    )
    num_scheduled = state.num_updates if round.is_scheduled else 0
    set_learning_rate(state.optimizer, learning_rate(config, state.update, num_scheduled))
    apply_gradients(state.optimizer, state.policy.network.parameters(), config)
    average(state.ema, state.policy.network, config.ema_decay, state.update)
    observe(state, draw, losses)
    state.losses.append(float(losses.mean()))
    state.update += 1
    return state.losses[-1]


def _shard_losses(state: TrainState, round: Round, steps: Int64, indicator: Int64, shard: int) -> NDArray[np.float32]:
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
            chosen = losses[(draw.task == task) & (draw.is_online == is_online)]
            if len(chosen):
                state.online.observe(int(task), is_online=is_online, loss=float(chosen.mean()))


def train(
    state: TrainState,
    round: Round,
    *,
    directory: Path,
    save_updates: int,
    should_stop: Callable[[], bool],
    on_update: Callable[[TrainState], None],
) -> bool:
    """Do the round's remaining updates, saving now and then; False where it was stopped before the end."""
    while not state.is_trained:
        if should_stop():
            train_state.save(directory, state)
            return False
        one_update(state, round)
        on_update(state)
        if state.update % save_updates == 0 and not state.is_trained:
            train_state.save(directory, state)
    train_state.save(directory, state)
    return True
