"""What we do on a Ray cluster of two nodes, in a process of its own: Ray leaves warnings behind.

`python -m tests.ray_rig DIRECTORY ADDRESS` prints one JSON object:

    jobs      exit codes of two processes that wait for one another
    cells     what the smallest cell of a study found: here, and on the cluster
    learners  by their number: losses of the plain loop, and of one that RLlib takes up and gives back; how far apart
              their averaged weights end, how far they came, what is said when a learner dies, and for each replay ring
              that a learner filled, on which node it was
    loops     what a whole learner published, by itself and with two RLlib learners: losses of base and candidate
"""

import dataclasses
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ray
import torch

from infra.memory_registry import MemoryRegistry
from infra.topics import EPISODES, STEPS
from learner import ray_cluster, rllib, train_state
from learner.data import Data
from learner.mix import MixConfig
from learner.replay_data import ReplaySource
from learner.rllib_engine import RllibEngine, engines
from learner.schedule import LearnerConfig
from learner.synthetic import toy_data, toy_spec
from learner.train import Round, local_engine, one_update
from learner.train_state import TrainState
from learner.update import UpdateConfig
from policy.errors import TouchlineError
from policy.policy import Policy
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from storage.replay import Replay
from storage.tables import Lake
from study.plan import MINIATURE
from study.questions import QUESTIONS
from study.ray_jobs import RayJob
from study.runner import Runner, Start, start_here
from study.store import Store
from tests.lake_rig import Filler, make_run
from tests.learner_rig import CONFIG, POLICY, RECAP, UPDATE, toy_learner

NUM_LEARNERS = (0, 2)
NUM_UPDATES = 4
SHORT = dataclasses.replace(CONFIG, base_updates=2, round_updates=3, replay_steps=500)
SEED = 4
CAPACITY = SHORT.replay_steps
DEADLINE_S = 240.0
NODE, PID = "node", "pid"


def fill(directory: Path) -> Lake:
    """A lake with the toy task's demonstrations, helped episodes, successes and failures."""
    data = toy_data(num_demonstrations=4, num_helped=4, num_rollouts=12)
    told, steps, episodes = data.experience, [], []
    for number, (start, length) in enumerate(zip(told.start, told.length, strict=True)):
        own, episode = make_run(
            number,
            int(length),
            spec_id=data.spec.spec_id,
            source="demonstration" if told.is_demonstration[number] else "rollout",
            outcome="success" if told.is_success[number] else "failure",
            instruction=data.instructions[data.instruction[told.row[start]]],
        )
        episodes.append(episode)
        for step, row in zip(own, told.row[start : start + length], strict=True):
            action = data.action[row]
            steps.append(
                dataclasses.replace(
                    step,
                    state=data.state[row],
                    tactile=data.tactile[row],
                    proposed_action=action,
                    executed_action=action,
                    frames=(data.frames[row, 0].tobytes(),),
                    control_mode="correcting" if told.is_correction[row] else "autonomous",
                )
            )
    lake = Lake(str(directory / "lake"))
    filler = Filler(lake)
    filler.put(STEPS, steps)
    filler.put(EPISODES, episodes)
    return lake


def learner_data(**arguments: Any) -> Data:
    """As `replay_data`; leaves the name of the node and the number of the process in the ring's folder."""
    data = rllib.replay_data(**arguments)
    ring = Path(arguments["directory"]) / f"learner-{rllib.rank()}"
    (ring / NODE).write_text(ray.get_runtime_context().get_node_id() if ray.is_initialized() else "")
    (ring / PID).write_text(str(os.getpid()))
    return data


def begin(directory: Path, lake: Lake, update: UpdateConfig) -> tuple[TrainState, Round]:
    """A round on a ring of its own; the same each time."""
    data = ReplaySource(Replay(lake, directory / "ring", toy_spec(), CAPACITY)).newest()
    torch.manual_seed(0)
    normaliser = Normaliser.fit(state=data.state, tactile=data.tactile, action=data.action)
    state = TrainState.begin(
        Policy.create(POLICY, data.spec, Vocabulary.of(data.instructions), normaliser),
        round=1,
        seed=SEED,
        pin=data.pin,
        num_rollouts=0,
        labels=RECAP.label(data, device=torch.device("cpu"), seed=0),
        num_updates=NUM_UPDATES,
        update_config=update,
        mix_config=MixConfig(),
    )
    return state, Round.of(state, data, RECAP, update)


def compare(directory: Path, lake: Lake, num_learners: int) -> dict[str, Any]:
    """The same updates both ways: RLlib takes a round up after the first and gives it back before the last."""
    update = UpdateConfig(batch_size=16, warmup_updates=2, num_shards=max(1, num_learners))
    plain, plain_round = begin(directory / "plain", lake, update)
    first = {name: value.clone() for name, value in plain.ema.items()}
    for _ in range(NUM_UPDATES):
        one_update(plain, plain_round)
    state, round = begin(directory / "rllib", lake, update)
    one_update(state, round)
    engine = RllibEngine(
        rllib.RllibConfig(
            state=str(train_state.save(directory / "states", state)),
            data="tests.ray_rig:learner_data",
            data_arguments={
                "lake_url": lake.url,
                "directory": str(directory / "rings"),
                "spec": toy_spec().to_json(),
                "pin": state.pin,
                "capacity": CAPACITY,
            },
            update=update,
            num_scheduled=NUM_UPDATES,
        ),
        num_learners=num_learners,
    )
    while state.update < NUM_UPDATES - 1:
        one_update(state, round, engine)
    engine.settle(state)
    said = kill_one(directory / "rings" / "learner-0", engine, state, round) if num_learners else ""
    engine.close()
    one_update(state, round)
    return {
        "said_of_a_death": said,
        "plain": plain.losses,
        "rllib": state.losses,
        "weight_gap": max(float((state.ema[name] - value).abs().max()) for name, value in plain.ema.items()),
        "weight_distance": max(float((first[name] - value).abs().max()) for name, value in plain.ema.items()),
        "nodes": {ring.name: (ring / NODE).read_text() for ring in (directory / "rings").iterdir()},
    }


def kill_one(ring: Path, engine: RllibEngine, state: TrainState, round: Round) -> str:
    """What an update says when a learner dies."""
    os.kill(int((ring / PID).read_text()), signal.SIGKILL)
    try:
        one_update(dataclasses.replace(state, losses=[]), round, engine)
    except TouchlineError as error:
        return str(error)
    return "nothing"


def loop(directory: Path, lake: Lake, config: LearnerConfig) -> list[list[float]]:
    """A learner from demonstrations to a candidate; the losses of both rounds."""
    states, rings, replay = directory / "states", directory / "rings", directory / "ring"
    registry = MemoryRegistry(directory / "registry")
    toy_learner(
        states,
        registry,
        config=config,
        update=dataclasses.replace(UPDATE, num_shards=2),
        source=ReplaySource(Replay(lake, replay, toy_spec(), CAPACITY)),
        engines=engines(config, lake, states=states, rings=rings) if config.num_learners else local_engine,
    ).run()
    curves = [registry.metrics[version.version] for version in registry.versions()]
    return [[point["loss"] for _, point in curve if list(point) == ["loss"]] for curve in curves]


def meet(directory: Path) -> list[int]:
    """Two processes that end well only if both run at once, which is one on each node."""
    names = ("one", "other")
    code = (
        "import pathlib, sys, time\n"
        "mine, theirs = map(pathlib.Path, sys.argv[1:])\n"
        "mine.touch()\n"
        f"end = time.monotonic() + {DEADLINE_S}\n"
        "while not theirs.exists():\n"
        "    assert time.monotonic() < end\n"
        "    time.sleep(0.05)\n"
    )
    directory.mkdir()
    paths = [directory / name for name in names]
    orders = [("-c", code, str(mine), str(theirs)) for mine, theirs in zip(paths, reversed(paths), strict=True)]
    jobs = [RayJob(order, "", directory / f"{name}.log") for name, order in zip(names, orders, strict=True)]
    deadline = time.monotonic() + 2 * DEADLINE_S
    while any(job.poll() is None for job in jobs) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [job.wait() for job in jobs]


def smallest_cell(directory: Path, start: Start) -> Any:
    """A base and its evaluation, by the study's own runner."""
    arms = QUESTIONS["a"].arms("plug_insertion", 0, MINIATURE, {})
    base = next(cell for _, cell in arms if not cell.parents)
    store = Store(directory)
    runner = Runner(store, [base], num_jobs=2, start=start)
    runner.run(lambda cell, finding, took_s: None, lambda: None)
    assert not runner.failed, runner.failed
    return store.finding(base)


def main(directory: Path, address: str) -> None:
    """Do everything."""
    torch.set_num_threads(1)
    lake = fill(directory)
    ray_cluster.connect(address)
    results: dict[str, Any] = {"jobs": meet(directory / "meeting")}
    with ThreadPoolExecutor() as pool:
        folders = [directory / "here", directory / "cluster"]
        results["cells"] = list(pool.map(smallest_cell, folders, [start_here, RayJob]))
    ray.shutdown()
    ray_cluster.connect(address)
    results["learners"] = {n: compare(directory / str(n), lake, n) for n in NUM_LEARNERS}
    loops = {"plain": SHORT, "rllib": dataclasses.replace(SHORT, num_learners=2, ray_address=address)}
    results["loops"] = {name: loop(directory / name, lake, config) for name, config in loops.items()}
    ray.shutdown()
    sys.stdout.write(json.dumps(results) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
