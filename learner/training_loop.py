"""The learner's loop, as one would say it: wait for data, pin it, label it, train, publish a candidate.

    round 0      demonstrations            -> the base
    round 1...   everything up to the pin  -> from the base (iterated) or onwards (continual)

A saved state is taken up wherever it was cut: in the middle of a round, or between training and
publishing. Only the judge releases.
"""

import dataclasses
import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from infra.bus import Producer
from infra.ledger import Ledger
from infra.metrics import Metrics
from infra.registry import PolicyRegistry
from learner import candidate, critic_store, sample_counts, train_state
from learner.algorithms.hg_dagger import HgDagger
from learner.base_tries import BaseTries, begin_from, seed_of
from learner.critic_records import send_values
from learner.data import ArrayData, StoppableData, TrainingStopped
from learner.labels import AUTONOMOUS, Algorithm, Labels, Pool
from learner.mix import MixConfig
from learner.schedule import LearnerConfig, Schedule
from learner.train import Engines, Round, local_engine, train
from learner.train_state import TrainState
from learner.update import UpdateConfig
from policy import checkpoint
from policy.errors import LakeError, RegistryUnavailable
from policy.network import PolicyConfig
from policy.policy import Policy
from policy.tokens import Vocabulary
from policy.transforms import Normaliser

_LOG = logging.getLogger(__name__)
_UNDECIDED = ("candidate", "canary")


class Source(Protocol):
    """Where data comes from; `learner/replay_data.py` reads the lake."""

    def newest(self) -> ArrayData:
        """All complete episodes up to now."""

    def pinned(self, pin: str) -> ArrayData:
        """Exactly the episodes of a pin."""

    def keep(self) -> None:
        """See to it that what `newest` gave can be pinned by a process after this one, also if this one is killed."""

    def follow(self) -> None:
        """Take in what came since, and leave data in use as it is."""

    def freshness_s(self) -> Mapping[str, float]:
        """How old steps were when they arrived, by the name of the quantile."""


class Learner:
    """One learner process's work."""

    def __init__(
        self,
        *,
        source: Source,
        registry: PolicyRegistry,
        critics: PolicyRegistry,
        ledger: Ledger,
        producer: Producer,
        algorithm: Algorithm,
        config: LearnerConfig,
        update_config: UpdateConfig,
        mix_config: MixConfig,
        policy_config: PolicyConfig,
        directory: Path,
        boot_id: str,
        metrics: Metrics,
        stopping: threading.Event,
        record: Mapping[str, Any],
        engines: Engines = local_engine,
    ) -> None:
        """Collect the parts; `critics` is `critic_store`'s, and `record`, the settings, goes with every candidate."""
        self._engines = engines
        self._source, self._registry, self._critics = source, registry, critics
        self._ledger, self._producer = ledger, producer
        self._algorithm, self._config = algorithm, config
        self._update_config, self._mix_config, self._policy_config = update_config, mix_config, policy_config
        self._directory, self._boot_id, self._metrics = directory, boot_id, metrics
        self._stopping, self._record = stopping, record
        self._device = torch_device(config.device)
        self._tries = BaseTries(registry, config.base_tries)
        self._num_values = 0
        self._followed_s = 0.0

    def run(self) -> None:
        """Go on from the saved state, then round after round until told to stop."""
        state = self._resume()
        while not self._stopping.is_set() and not self._is_done(state):
            if state is None or state.published or state.is_abandoned:
                data = self._wait_for_data(state)
                if data is None:
                    return
                try:
                    state = self._begin(data, state)
                except TrainingStopped:
                    return
                train_state.save(self._directory, state)
            else:
                data = self._source.pinned(state.pin)
            self._finish(state, data)

    def _is_done(self, state: TrainState | None) -> bool:
        limit = self._config.num_rounds
        return bool(limit and state and state.published and state.round >= limit)

    def _resume(self) -> TrainState | None:
        """The saved state, if its data is still to be had."""
        state = train_state.load_latest(
            self._directory,
            update_config=self._update_config,
            mix_config=self._mix_config,
            device=self._device,
        )
        if state is not None and not state.published:
            try:
                self._source.pinned(state.pin)
            except LakeError as error:
                _LOG.warning("cannot go on: %s; the round begins anew", error)
                state = dataclasses.replace(state, is_abandoned=True) if state.round else None
        if state is not None:
            _LOG.info("resumed", extra={"round": state.round, "update": state.update})
        return state

    def _wait_for_data(self, last: TrainState | None) -> ArrayData | None:
        """The newest data once there is enough of it for the next round; None when told to stop."""
        while not self._stopping.is_set():
            try:
                self._tries.look(last)
                data = self._source.newest()
                if self._is_enough(data, last):
                    return data
            except (LakeError, RegistryUnavailable) as error:
                _LOG.warning("cannot look for data now: %s", error)
            self._metrics.count(
                "touchline_learner_wait_seconds_total",
                self._config.poll_s,
                on="demonstrations" if last is None else "episodes",
            )
            self._stopping.wait(self._config.poll_s)
        return None

    def _is_enough(self, data: ArrayData, last: TrainState | None) -> bool:
        if last is None or last.is_rejected:
            return int(data.experience.is_demonstration.sum()) >= self._config.base_demonstrations
        num_new = data.experience.num_rollouts - last.num_rollouts
        return num_new >= self._config.round_episodes and self._is_decided(last)

    def _is_decided(self, last: TrainState) -> bool:
        if not self._config.waits_for_judge or last.is_abandoned:
            return True
        return self._registry.get(last.published).tags.get("status") not in _UNDECIDED

    def _begin(self, data: ArrayData, last: TrainState | None) -> TrainState:
        """Pin, label, and choose the weights to start from."""
        self._source.keep()
        last, attempt = begin_from(last)
        round = 0 if last is None else last.round + (not last.is_abandoned)
        seed = seed_of(self._config.seed, round=round, attempt=attempt)
        algorithm = self._algorithm_of(round)
        started = time.monotonic()
        labels = algorithm.label(StoppableData.of(data, self._should_stop), device=self._device, seed=seed)
        _LOG.info(
            "labelled",
            extra={"round": round, "mix": algorithm.mix(labels).reason, "took_s": time.monotonic() - started},
        )
        self._show(data, labels)
        state = TrainState.begin(
            self._first_policy(data, last, seed),
            round=round,
            seed=seed,
            attempt=attempt,
            pin=data.pin,
            # The base learns from demonstrations alone: robots at work before it are news to round 1.
            num_rollouts=data.experience.num_rollouts if round else 0,
            labels=labels,
            num_updates=self._config.num_updates(
                round, num_steps=data.experience.num_steps, batch_size=self._update_config.batch_size
            ),
            update_config=self._update_config,
            mix_config=self._mix_config,
        )
        self._num_values += send_values(
            self._producer,
            data,
            labels,
            critic_version=state.train_id,
            boot_id=self._boot_id,
            first_seq=self._num_values,
        )
        signer = self._ledger.signatory
        critic_store.offer(self._critics, labels, critic_version=state.train_id, signer=signer)
        return state

    def _first_policy(self, data: ArrayData, last: TrainState | None, seed: int) -> Policy:
        if last is None:
            return self._untrained(data, seed)
        if self._config.schedule is Schedule.CONTINUAL:
            return last.policy
        policy = checkpoint.load(self._base_directory)
        policy.network.to(self._device)
        return policy

    def _untrained(self, data: ArrayData, seed: int) -> Policy:
        steps = np.flatnonzero(data.experience.is_demonstration[data.experience.episode])
        rows = data.experience.row[steps]
        normaliser = Normaliser.fit(state=data.state[rows], tactile=data.tactile[rows], action=data.action[rows])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            policy = Policy.create(self._policy_config, data.spec, Vocabulary.of(data.instructions), normaliser)
        policy.network.to(self._device)
        return policy

    def _algorithm_of(self, round: int) -> Algorithm:
        """The base imitates, but drops indicators as later rounds do, so that null is trained in it."""
        if round:
            return self._algorithm
        return HgDagger(mixing=self._mix_config, indicator_dropout=self._algorithm.indicator_dropout)

    def _finish(self, state: TrainState, data: ArrayData) -> None:
        """Train to the round's end and publish, unless told to stop on the way."""
        algorithm = self._algorithm_of(state.round)
        round = Round.of(
            state,
            data,
            algorithm,
            self._update_config,
            is_scheduled=self._config.schedule is Schedule.ITERATED or state.round == 0,
        )
        if not (state.is_trained or self._train(state, round)):
            return
        if state.round == 0:
            checkpoint.save(self._base_directory, state.averaged_policy())
        described = candidate.describe(state, data, algorithm, self._record, self._source.freshness_s())
        state.published = candidate.publish_or_wait(self._registry, self._ledger, state, described, self._stopping)
        if not state.published:
            return
        sample_counts.send(
            self._producer, state.counts, data.episode_ids, policy_version=state.published, train_id=state.train_id
        )
        train_state.save(self._directory, state)
        self._metrics.count("touchline_learner_candidates_total")
        _LOG.info("candidate published", extra={"version": state.published, "round": state.round})

    def _train(self, state: TrainState, round: Round) -> bool:
        with self._engines(state, round) as engine:
            return train(
                state,
                round,
                engine,
                directory=self._directory,
                save_updates=self._config.save_updates,
                should_stop=self._should_stop,
                on_update=self._on_update,
            )

    def _should_stop(self) -> bool:
        """Asked between two batches: the moment to follow the log, so that the next round finds all decoded."""
        if time.monotonic() - self._followed_s > self._config.poll_s:
            try:
                self._source.follow()
            except LakeError as error:
                _LOG.warning("cannot look for data now: %s", error)
            self._followed_s = time.monotonic()
        return self._stopping.is_set()

    @property
    def _base_directory(self) -> Path:
        return self._directory / "base"

    def _on_update(self, state: TrainState) -> None:
        self._metrics.count("touchline_learner_steps_total", part="policy")
        self._metrics.set("touchline_learner_loss", state.losses[-1], part="policy")
        if state.update % self._config.save_updates == 0:
            recent = float(np.mean(state.losses[-self._config.save_updates :]))
            _LOG.info(
                "training",
                extra={"round": state.round, "update": state.update, "of": state.num_updates, "loss": recent},
            )

    def _show(self, data: ArrayData, labels: Labels) -> None:
        num_judged = sum(labels.count(pool) for pool in AUTONOMOUS)
        ratio = labels.count(Pool.AUTONOMOUS_POSITIVE) / num_judged if num_judged else 0.0
        for task in data.tasks:
            self._metrics.set("touchline_learner_advantage_positive_ratio", ratio, task=task, source="rollout")
            if labels.report is not None:
                self._metrics.set("touchline_learner_value_calibration_error", abs(labels.report.bias), task=task)


def torch_device(name: str) -> torch.device:
    """The device of a setting: "auto" is a GPU where there is one."""
    return torch.device(name if name != "auto" else "cuda" if torch.cuda.is_available() else "cpu")
