"""A whole learner on the toy task: every part real but robots, broker and registry server.

`python -m tests.learner_rig DIRECTORY` runs it in a process of its own, to be killed.
"""

import sys
import tempfile
import threading
import uuid
from pathlib import Path

import torch

from infra.bus import Producer
from infra.ledger import Ledger
from infra.memory_bus import MemoryBus
from infra.memory_registry import MemoryRegistry
from infra.metrics import Metrics
from infra.registry import PolicyRegistry
from learner.algorithms.recap import Recap
from learner.critic import CriticConfig
from learner.labels import Algorithm
from learner.mix import MixConfig
from learner.schedule import LearnerConfig
from learner.synthetic import ToySource, toy_data
from learner.train import Engines, local_engine
from learner.training_loop import Learner, Source
from learner.update import UpdateConfig
from learner.value import ValueConfig
from policy.network import PolicyConfig

POLICY = PolicyConfig(horizon=4, width=32, num_heads=2, stem_channels=8, num_keypoints=4, num_flow_samples=1)
RECAP = Recap(
    critic=CriticConfig(min_ranking=-1, min_auc=0, min_episodes=10),
    value=ValueConfig(num_updates=5, batch_size=16, width=16, stem_channels=4, num_keypoints=2),
)
CONFIG = LearnerConfig(
    base_demonstrations=4,
    base_updates=6,
    round_episodes=10,
    round_updates=40,
    num_rounds=1,
    waits_for_judge=False,
    save_updates=3,
    poll_s=0.01,
    device="cpu",
)
UPDATE = UpdateConfig(batch_size=16, warmup_updates=2)


def toy_learner(
    directory: Path,
    registry: PolicyRegistry,
    *,
    critics: PolicyRegistry | None = None,
    producer: Producer | None = None,
    config: LearnerConfig = CONFIG,
    source: Source | None = None,
    stopping: threading.Event | None = None,
    update: UpdateConfig = UPDATE,
    engines: Engines = local_engine,
    algorithm: Algorithm = RECAP,
) -> Learner:
    """A learner that keeps its states in `directory`."""
    if producer is None:
        bus = MemoryBus()
        bus.ensure_topics()
        producer = bus.producer("learner")
    return Learner(
        source=source or ToySource(toy_data()),
        registry=registry,
        critics=critics or MemoryRegistry(Path(tempfile.mkdtemp(prefix="critics-", dir=directory.parent))),
        ledger=Ledger(producer),
        producer=producer,
        algorithm=algorithm,
        config=config,
        update_config=update,
        mix_config=MixConfig(),
        policy_config=POLICY,
        directory=directory,
        boot_id=uuid.uuid4().hex,
        metrics=Metrics(),
        stopping=stopping or threading.Event(),
        record={"learner": {"seed": 0}},
        engines=engines,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        toy_learner(Path(sys.argv[1]), MemoryRegistry(Path(folder))).run()
