"""`touchline critic`: the current value function's view of every robot, in a process of its own.

steps, episodes, labels (Kafka, from now on)  -> LiveCritic ->  values and requests (gateway)
current critic (registry)                     ->            ->  values of ended episodes (Kafka, lake)
"""

import argparse
import contextlib
import dataclasses
import os
import sys
import threading
import uuid
from collections.abc import Sequence

from infra import bus as buses
from infra import config, home, registry, service, threads


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM."""
    threads.set_threads(1)
    parser = config.parser("touchline critic", "Score live steps with the current critic, show values, ask for help.")
    service.add_flags(parser)
    args = parser.parse_args(argv)
    return run(args)


def run(args: argparse.Namespace) -> int:
    """Score until SIGTERM.

    Raises:
        TouchlineError: a setting is wrong, or a door does not open.
    """
    from corrections import auth
    from corrections.operator_client import OperatorConfig
    from infra.bus import KafkaConfig
    from infra.registry import MlflowConfig
    from learner import critic_store
    from learner.critic_help import DropConfig
    from learner.critic_line import CriticLine
    from learner.live_critic import LiveCritic, LiveCriticConfig
    from learner.live_stream import LiveStream

    settings, place = config.from_args("live_critic", LiveCriticConfig, args), home.from_args(args)
    os.nice(settings.niceness)
    with contextlib.ExitStack() as stack:
        frame = stack.enter_context(service.from_args("critic", args))
        bus = buses.connect(config.from_args("kafka", KafkaConfig, args))
        stack.callback(bus.close)
        producer = bus.producer("critic")
        stack.callback(producer.close)
        mlflow = critic_store.registry_config(config.from_args("mlflow", MlflowConfig, args))
        directory = place.learner / "live_critic"
        follower = critic_store.CriticFollower(registry.connect(mlflow), directory, poll_s=settings.poll_s)
        client = config.from_args("operator", OperatorConfig, args)
        line = CriticLine(
            dataclasses.replace(client, operator_id="critic"),
            token=auth.operator_token(file=auth.token_file(place.path)),
        )
        live = LiveCritic(
            audience=line,
            producer=producer,
            metrics=frame.metrics,
            boot_id=uuid.uuid4().hex,
            config=settings,
            drop=config.from_args("value_drop", DropConfig, args),
        )
        frame.add_detail("critic", lambda: follower.status)
        frame.add_detail("gateway", lambda: line.status)
        threading.Thread(target=follower.run, args=(frame.stopping,), name="follower", daemon=True).start()
        line.start()
        stack.callback(line.close)
        stream = LiveStream(bus, live, metrics=frame.metrics, stopping=frame.stopping)
        stack.callback(stream.close)
        while not frame.stopping.is_set():
            stream.listen(settings.period_s)
            live.cycle(follower.current)
    return 0


if __name__ == "__main__":
    sys.exit(main())
