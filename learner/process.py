"""The learner process, put together from its settings."""

import argparse
import contextlib
import dataclasses
import logging
import uuid
from pathlib import Path
from typing import Any

import torch

from infra import config, connect, home, identity, service
from infra.bus import KafkaConfig
from infra.ledger import Ledger
from infra.registry import MlflowConfig
from infra.signing import service_signer
from learner import algorithms, critic_store
from learner.advantage import AdvantageConfig
from learner.algorithms.recap import ConditionConfig
from learner.critic import CriticConfig
from learner.labels import Algorithm
from learner.mix import MixConfig
from learner.replay_data import ReplaySource
from learner.schedule import LearnerConfig
from learner.train import Engines, local_engine
from learner.training_loop import Learner
from learner.update import UpdateConfig
from learner.value import ValueConfig
from policy.network import PolicyConfig
from policy.spec import EmbodimentSpec
from storage.replay import Replay
from storage.tables import Lake, LakeConfig, lake_of

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Every section that training reads, as resolved; kept with each candidate."""

    learner: LearnerConfig
    policy: PolicyConfig
    update: UpdateConfig
    advantage: AdvantageConfig
    critic: CriticConfig
    value: ValueConfig
    mix: MixConfig
    condition: ConditionConfig

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Settings":
        """From file, environment and flags."""
        types = {field.name: field.type for field in dataclasses.fields(cls)}
        return cls(**{name: config.from_args(name, kind, args) for name, kind in types.items()})  # type: ignore[arg-type]

    def algorithm(self) -> Algorithm:
        """The chosen one."""
        return algorithms.create(
            self.learner.algorithm,
            advantage=self.advantage,
            critic=self.critic,
            value=self.value,
            mixing=self.mix,
            condition=self.condition,
        )


def run(args: argparse.Namespace) -> int:
    """Learn until SIGTERM; idle after the last round.

    Raises:
        TouchlineError: a setting is wrong, or a door does not open.
    """
    settings, place = Settings.of(args), home.from_args(args)
    torch.set_num_threads(settings.learner.num_threads)
    with contextlib.ExitStack() as stack:
        frame = stack.enter_context(service.from_args("learner", args))
        signatory = identity.service(place.path, "learner")
        bus = connect.bus(config.from_args("kafka", KafkaConfig, args), signatory)
        stack.callback(bus.close)
        producer = bus.producer("learner", signer=service_signer(signatory))
        stack.callback(producer.close)
        lake = lake_of(config.from_args("lake", LakeConfig, args), place)
        mlflow = config.from_args("mlflow", MlflowConfig, args)
        replay = Replay(lake, place.replay, embodiment(settings.learner), settings.learner.replay_steps)
        stack.callback(replay.close)
        learner = Learner(
            source=ReplaySource(replay, settings.learner.max_version_age),
            registry=connect.registry(mlflow),
            critics=connect.registry(critic_store.registry_config(mlflow)),
            ledger=Ledger(producer, signatory=signatory),
            producer=producer,
            algorithm=settings.algorithm(),
            config=settings.learner,
            update_config=settings.update,
            mix_config=settings.mix,
            policy_config=settings.policy,
            directory=place.learner,
            boot_id=uuid.uuid4().hex,
            metrics=frame.metrics,
            stopping=frame.stopping,
            record=_record(settings),
            engines=_engines(settings.learner, lake, place),
        )
        learner.run()
        if not frame.stopping.is_set():
            # A service that has done its work stays, well: its supervisor would start it again for ever.
            _LOG.info("all %d rounds are done; waiting to be stopped", settings.learner.num_rounds)
            frame.stopping.wait()
    return 0


def embodiment(settings: LearnerConfig) -> EmbodimentSpec:
    """The body to learn for.

    Raises:
        ConfigError: no such task.
        SchemaError: the file is not a spec.
    """
    if settings.spec_file:
        return EmbodimentSpec.from_json(Path(settings.spec_file).read_text())
    from robots.tasks import make

    robot = make(settings.task)
    try:
        return robot.spec
    finally:
        robot.close()


def _engines(settings: LearnerConfig, lake: Lake, place: home.Home) -> Engines:
    if not settings.num_learners:
        return local_engine
    from learner import ray_cluster, rllib_engine  # Ray takes seconds and memory that a fleet without it can use

    ray_cluster.connect(settings.ray_address)
    return rllib_engine.engines(settings, lake, states=place.learner, rings=place.rings)


def _record(settings: Settings) -> dict[str, dict[str, Any]]:
    return {field.name: dataclasses.asdict(getattr(settings, field.name)) for field in dataclasses.fields(settings)}
