"""The four kinds of work of an actor process, each from settings to a `Work`.

Called by `process.py`. torch and the registry's client are imported by the modes that need them, so
that demonstrating needs neither.
"""

import argparse
import contextlib
import dataclasses
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from actor.asking import HelpConfig
from actor.chunks import ChunkConfig, Sampling
from actor.inference import Inference, Sampler
from actor.options import ActorConfig
from actor.proposer import ExpertProposer, PolicyProposer
from actor.scene_ledger import SceneLedger
from actor.scene_list import SceneList, first_scenes
from actor.work import Assignment, Work
from infra import config, connect, weight_signing
from infra.bus import Bus
from infra.credentials import Credential
from infra.registry import MlflowConfig
from infra.service import Service
from infra.weight_signing import Trust
from policy.errors import ConfigError
from policy.schema import SceneSplit, Source
from policy.spec import EmbodimentSpec
from robots.robot import Robot
from robots.tasks import find

_SCENES_PER_SEED = 1_000
"""Demonstration scenes set aside for each `actor.seed`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """What a mode builds on."""

    args: argparse.Namespace
    settings: ActorConfig
    chunks: ChunkConfig
    frame: Service
    bus: Bus
    inference: Inference
    ledger: SceneLedger
    spec: EmbodimentSpec
    held: Mapping[str, Credential]
    """Each robot's own key and token."""
    trust: Trust
    """Whose weights and release orders count."""
    robot_ids: Sequence[str]
    weights: Path
    """Folder for checkpoints, of this process alone."""
    boot: str
    stack: contextlib.ExitStack
    """Closes what a mode starts."""


def collect(site: Site) -> Work:
    """The released weights at work, for ever."""
    from actor.acting_policy import ActingConfig, Loader
    from actor.collection import Collection
    from actor.order_book import OrderBook
    from actor.weight_sync import ReleaseHints, SyncConfig, WeightSync
    from infra.releases import CanaryCohort

    closing = threading.Event()
    weights = WeightSync(
        connect.registry(config.from_args("mlflow", MlflowConfig, site.args)),
        site.weights,
        site.robot_ids,
        Loader(spec=site.spec, config=config.from_args("acting", ActingConfig, site.args), trust=site.trust),
        orders=OrderBook(site.trust, site.weights),
        metrics=site.frame.metrics,
        hint=ReleaseHints(site.bus, closing),
        closing=closing,
        cohort=config.from_args("canary", CanaryCohort, site.args),
        config=config.from_args("weights", SyncConfig, site.args),
    )
    weights.start()
    site.stack.callback(weights.close)
    doubt = config.from_args("help", HelpConfig, site.args)
    sampling = Sampling(num_samples=max(1, doubt.spread_samples), every=doubt.spread_every)
    return Collection(weights, site.inference, site.chunks, site.boot, sampling)


def demonstrate(site: Site, num_scenes: int) -> SceneList:
    """The scripted expert on scenes of its own split, each once.

    Raises:
        ConfigError: more scenes than a seed has, or a task that nobody is scripted for.
    """
    if not 0 < num_scenes <= _SCENES_PER_SEED:
        raise ConfigError(f"--demonstrate takes 1 to {_SCENES_PER_SEED} scenes", got=num_scenes)

    def assign(scene: int, robot: Robot) -> Assignment:
        # By what the robot says it does: a class of somebody's own may do one of our tasks.
        proposer = ExpertProposer(robot, find(robot.task_id).demonstrator(scene))
        return Assignment(scene_seed=scene, source=Source.DEMONSTRATION, proposer=proposer)

    scenes = first_scenes(SceneSplit.DEMONSTRATE, num_scenes, skip=site.settings.seed * _SCENES_PER_SEED)
    return SceneList("demonstration", scenes, assign, site.ledger)


def evaluate(site: Site, version: str, num_scenes: int, split: SceneSplit) -> SceneList:
    """One version, by number or alias, on held-out scenes.

    Raises:
        WeightsRejected: there is no such version, or it must not act.
        RegistryUnavailable: the registry does not answer.
    """
    from actor.acting_policy import ActingConfig, Loader

    registry = connect.registry(config.from_args("mlflow", MlflowConfig, site.args))
    found = registry.get(registry.alias(version) or version)
    load = Loader(spec=site.spec, config=config.from_args("acting", ActingConfig, site.args), trust=site.trust)
    policy = load(weight_signing.fetch(registry, found, site.weights, site.trust), found)

    def assign(scene: int, robot: Robot) -> Assignment:
        return _evaluation(site, policy, found.version, scene)

    scenes = first_scenes(split, num_scenes)
    return SceneList(f"{found.version}/{split.name.lower()}", scenes, assign, site.ledger)


def evaluate_candidates(site: Site) -> Work:
    """Gate scenes for whatever is on trial, for ever."""
    from actor.acting_policy import ActingConfig, ActingPolicy, Loader
    from actor.candidates import CandidateWork, GateEvaluationConfig

    def assign(policy: ActingPolicy, scene: int) -> Assignment:
        return _evaluation(site, policy, policy.version.version, scene)

    work = CandidateWork(
        connect.registry(config.from_args("mlflow", MlflowConfig, site.args)),
        site.weights,
        Loader(spec=site.spec, config=config.from_args("acting", ActingConfig, site.args), trust=site.trust),
        assign,
        site.ledger,
        config.from_args("evaluation", GateEvaluationConfig, site.args),
        site.frame.metrics,
        site.trust,
    )
    work.start()
    site.stack.callback(work.close)
    return work


def _evaluation(site: Site, sampler: Sampler, version: str, scene: int) -> Assignment:
    return Assignment(
        scene_seed=scene,
        source=Source.EVALUATION,
        proposer=PolicyProposer(sampler, site.inference, scene, site.chunks),
        policy_version=version,
    )
