"""What cells compute; `python -m study.work FOLDER` does one, read from standard input, in a process of its own.

FOLDER/<cell id>/   policy/   guidance.json   episodes.npz   finding.json
"""

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from infra import whole_file
from infra.threads import set_threads
from study.cell import Finding, Kind, Order

if TYPE_CHECKING:  # torch reads its number of threads when it is imported: after `set_threads`
    from policy.flow import Guidance
    from policy.policy import Policy
    from study.world import World, WorldConfig

FINDING, EPISODES, POLICY, GUIDANCE = "finding.json", "episodes.npz", "policy", "guidance.json"


def main() -> int:
    """Compute one cell; its finding appears last, and whole."""
    set_threads(1)
    order, folder = Order.from_json(sys.stdin.read()), Path(sys.argv[1])
    started_s = time.monotonic()
    own = folder / order.id
    own.mkdir(parents=True, exist_ok=True)
    compute = {
        Kind.BASE: base,
        Kind.COLLECT: collect,
        Kind.CANDIDATE: candidate,
        Kind.FLEET: fleet,
        Kind.CRITIC: critic,
        Kind.DRIFT: drift,
    }[order.kind]
    finding = compute(order, folder)
    finding["wall_s"] = round(time.monotonic() - started_s, 1)
    whole_file.write_text(own / FINDING, json.dumps(finding, sort_keys=True))
    return 0


def base(order: Order, folder: Path) -> Finding:
    """Settings: world, demonstrations, updates, evaluations."""
    from policy import checkpoint
    from policy.flow import Guidance
    from study import episode, learning

    settings, own = order.settings, folder / order.id
    world = _world(order)
    episode.save(own / EPISODES, list(world.demonstrations(settings["demonstrations"])))
    data = episode.load([own / EPISODES], world.spec)
    seed = settings["world"]["seed"]
    trained = learning.train(
        learning.new_policy(data, seed),
        data,
        learning.Learning.of("hg_dagger", {}),
        num_updates=settings["updates"],
        seed=seed,
    )
    checkpoint.save(own / POLICY, trained.policy)
    _write_guidance(own, Guidance())
    return {**world.evaluate(trained.policy, Guidance(), settings["evaluations"]), "loss": trained.loss}


def collect(order: Order, folder: Path) -> Finding:
    """Settings: world, person, episodes, round; parent: whose policy drives."""
    from study import episode
    from study.person import PersonConfig

    settings, own = order.settings, folder / order.id
    world = _world(order)
    (actor, _) = order.parents[0]
    policy, guidance = _policy(folder / actor)
    person = PersonConfig.of(settings["person"])
    episodes = list(world.collect(policy, guidance, person, settings["episodes"], round=settings["round"]))
    episode.save(own / EPISODES, episodes)
    helped = [one for one in episodes if any(one.is_correction)]
    return {
        **world.summary(episodes),
        "num_steps": sum(one.num_steps for one in episodes),
        "num_correction_steps": sum(sum(one.is_correction) for one in episodes),
        "num_helped": len(helped),
        "num_helped_successes": sum(one.is_success for one in helped),
        "steps_of_helped_successes": _mean([one.num_steps for one in helped if one.is_success]),
    }


def candidate(order: Order, folder: Path) -> Finding:
    """Settings: world, algorithm, changes, updates, round, evaluations; parents: base, then collections."""
    from policy import checkpoint
    from study import episode, learning

    settings, own = order.settings, folder / order.id
    world = _world(order)
    start, _ = _policy(folder / order.parents[0][0])
    data = episode.load([folder / parent / EPISODES for parent, _ in order.parents], world.spec)
    chosen = learning.Learning.of(settings["algorithm"], settings["changes"])
    seed = settings["world"]["seed"] * 10 + settings["round"]
    trained = learning.train(start, data, chosen, num_updates=settings["updates"], seed=seed)
    guidance = chosen.algorithm.guidance(trained.labels)
    checkpoint.save(own / POLICY, trained.policy)
    _write_guidance(own, guidance)
    report = trained.labels.report
    return {
        **world.evaluate(trained.policy, guidance, settings["evaluations"]),
        "loss": trained.loss,
        "mix": trained.mix,
        "guidance": dataclasses.asdict(guidance),
        "critic": dataclasses.asdict(report) if report else None,
        "num_correction_steps": int(data.experience.is_correction.sum()),
    }


def fleet(order: Order, folder: Path) -> Finding:
    """Settings: world, person, fleet, evaluations; parent: the base that all robots begin with."""
    from study.fleet import Fleet, FleetConfig
    from study.person import PersonConfig

    settings, base_folder = order.settings, folder / order.parents[0][0]
    history = Fleet(
        FleetConfig(**settings["fleet"]),
        _world(order),
        PersonConfig.of(settings["person"]),
        folder / order.id,
        seed=settings["world"]["seed"],
    )
    return history.run(base_folder / POLICY, base_folder / EPISODES, settings["evaluations"])


def critic(order: Order, folder: Path) -> Finding:
    """Settings: world, changes; parents: base, then collections."""
    from robots import tasks
    from study import critics, episode

    config = _world_config(order)
    robot = tasks.make(config.task, config.options)
    data = episode.load([folder / parent / EPISODES for parent, _ in order.parents], robot.spec)
    return critics.measure(data, robot, order.settings["changes"], config.seed)


def drift(order: Order, folder: Path) -> Finding:
    """Settings: world, person, conditions, promotions; parent: the base that acts first."""
    from study.person import PersonConfig
    from study.promotions import PromotionConfig, Promotions

    settings, base_folder = order.settings, folder / order.parents[0][0]
    history = Promotions(
        PromotionConfig(**settings["promotions"]),
        _world_config(order),
        PersonConfig.of(settings["person"]),
        folder / order.id,
    )
    return history.run(base_folder / POLICY, base_folder / EPISODES, settings["conditions"])


def _world(order: Order) -> "World":
    from study.world import World

    return World(_world_config(order))


def _world_config(order: Order) -> "WorldConfig":
    from study.touch import Touch
    from study.world import WorldConfig

    fields = dict(order.settings["world"])
    return WorldConfig(**{**fields, "touch": Touch(fields.get("touch", Touch.ON))})


def _policy(directory: Path) -> "tuple[Policy, Guidance]":
    from policy import checkpoint
    from policy.flow import Guidance, Reference

    fields = json.loads((directory / GUIDANCE).read_text())
    guidance = Guidance(reference=Reference(fields["reference"]), scale=fields["scale"])
    return checkpoint.load(directory / POLICY), guidance


def _write_guidance(directory: Path, guidance: "Guidance") -> None:
    (directory / GUIDANCE).write_text(json.dumps(dataclasses.asdict(guidance)))


def _mean(numbers: list[int]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


if __name__ == "__main__":
    sys.exit(main())
