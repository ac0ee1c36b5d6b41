"""`touchline judge`: decide on candidates by evidence, in a process of its own."""

import argparse
import contextlib
import logging
import sys
from collections.abc import Sequence

from infra import config, connect, home, identity, service, threads

_LOG = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM."""
    threads.set_threads(1)
    parser = config.parser("touchline judge", "Read episodes, decide on candidates, move aliases.")
    service.add_flags(parser)
    args = parser.parse_args(argv)
    return run(args)


def run(args: argparse.Namespace) -> int:
    """Judge until SIGTERM.

    Raises:
        TouchlineError: a setting is wrong, or a door does not open.
    """
    from infra.bus import KafkaConfig
    from infra.ledger import Ledger
    from infra.registry import MlflowConfig
    from infra.releases import CanaryCohort
    from infra.rollout_state import RolloutConfig
    from infra.signing import service_signer
    from learner.fast_gate import FastGateConfig
    from learner.judge import Judge
    from learner.judge_bench import JudgeConfig
    from learner.verdict import GateConfig
    from policy.errors import ConfigError, LakeError, RegistryError
    from storage.episode_index import EpisodeIndex
    from storage.tables import LakeConfig, lake_of

    settings, place = config.from_args("judge", JudgeConfig, args), home.from_args(args)
    with contextlib.ExitStack() as stack:
        frame = stack.enter_context(service.from_args("judge", args))
        signatory = identity.service(place.path, "judge")
        bus = connect.bus(config.from_args("kafka", KafkaConfig, args), signatory)
        stack.callback(bus.close)
        producer = bus.producer("judge", signer=service_signer(signatory))
        stack.callback(producer.close)
        judge = Judge(
            registry=connect.registry(config.from_args("mlflow", MlflowConfig, args)),
            ledger=Ledger(producer, signatory=signatory),
            index=EpisodeIndex(lake_of(config.from_args("lake", LakeConfig, args), place)),
            directory=place.weights / "judge",
            config=settings,
            fast_gate=config.from_args("fast_gate", FastGateConfig, args),
            gate=config.from_args("gate", GateConfig, args),
            cohort=config.from_args("canary", CanaryCohort, args),
            stages=config.from_args("rollout", RolloutConfig, args),
            metrics=frame.metrics,
            trust=identity.trust(place.path, [signatory]),
        )
        while not frame.stopping.is_set():
            try:
                judge.step()
            except (RegistryError, LakeError) as error:
                _LOG.warning("cannot judge now: %s", error)
            except ConfigError as error:
                # A person moved something between our look and our hand: look again.
                _LOG.warning("a release did not go through: %s", error)
            frame.stopping.wait(settings.poll_s)
    return 0


if __name__ == "__main__":
    sys.exit(main())
