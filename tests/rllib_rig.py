"""The plain loop and RLlib side by side, in a process of its own: Ray leaves children and warnings behind.

`python -m tests.rllib_rig DIRECTORY` prints one JSON object: losses of both and the largest difference
between their averaged weights, by number of learners.
"""

import json
import sys
from pathlib import Path
from typing import Any

import ray
import torch

from learner.losses import drop_indicators
from learner.mix import MixConfig
from learner.rllib import RllibConfig, RllibTrainer
from learner.synthetic import toy_data
from learner.train import Round, one_update
from learner.train_state import TrainState
from learner.update import UpdateConfig
from policy import checkpoint
from policy.policy import Policy
from policy.tokens import Vocabulary
from policy.transforms import Normaliser
from tests.learner_rig import POLICY, RECAP

ROOT = Path(__file__).parents[1]
NUM_LEARNERS = (0, 1, 2)
NUM_UPDATES = 3
SEED = 4


def begin(directory: Path, update: UpdateConfig) -> tuple[TrainState, Round]:
    """A round of the plain loop; its first weights are also saved, for RLlib."""
    data = toy_data()
    torch.manual_seed(0)
    normaliser = Normaliser.fit(state=data.state, tactile=data.tactile, action=data.action)
    policy = Policy.create(POLICY, data.spec, Vocabulary.of(data.instructions), normaliser)
    checkpoint.save(directory, policy)
    state = TrainState.begin(
        checkpoint.load(directory),
        round=1,
        seed=SEED,
        pin=data.pin,
        num_rollouts=0,
        labels=RECAP.label(data, device=torch.device("cpu"), seed=0),
        num_updates=NUM_UPDATES,
        update_config=update,
        mix_config=MixConfig(is_adaptive=False),
    )
    return state, Round.of(state, data, RECAP, update)


def compare(directory: Path, num_learners: int) -> dict[str, Any]:
    """The same updates both ways."""
    update = UpdateConfig(batch_size=16, warmup_updates=2, num_shards=max(1, num_learners))
    state, round = begin(directory, update)
    draws = [round.sampler.draw(number, update.batch_size, state.online).steps for number in range(NUM_UPDATES)]
    plain = [one_update(state, round) for _ in range(NUM_UPDATES)]
    trainer = RllibTrainer(
        RllibConfig(
            checkpoint=str(directory),
            data="learner.synthetic:toy_data",
            data_arguments={},
            update=update,
            num_updates=NUM_UPDATES,
            seed=SEED,
            num_learners=num_learners,
        )
    )
    rllib = []
    for number, steps in enumerate(draws):
        own = state.labels.indicator[steps]
        rllib.append(trainer.update(steps, drop_indicators(own, RECAP.indicator_dropout, seed=SEED, update=number)))
    weights = trainer.averaged_weights()
    trainer.close()
    gap = max(float((weights[name] - value).abs().max()) for name, value in state.ema.items())
    moved = checkpoint.load(directory).network.state_dict()
    distance = max(float((moved[name] - value).abs().max()) for name, value in state.ema.items())
    return {"plain": plain, "rllib": rllib, "weight_gap": gap, "weight_distance": distance}


def main(directory: Path) -> None:
    """Compare for every number of learners."""
    torch.set_num_threads(1)
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}},
    )
    results = {str(number): compare(directory / str(number), number) for number in NUM_LEARNERS}
    ray.shutdown()
    sys.stdout.write(json.dumps(results) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
