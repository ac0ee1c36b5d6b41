"""`touchline critic`: the current value function's view of every robot, in a process of its own.

steps, episodes, labels (Kafka, from now on)  -> LiveCritic ->  values and requests (gateway)
current critic (registry)                     ->            ->  values of ended episodes (Kafka, lake)
steps, shadow and champion (registry)         -> LiveShadow ->  how far they differ (tag of the shadow)
"""

import argparse
import contextlib
import dataclasses
import os
import sys
import threading
import uuid
from collections.abc import Sequence

from infra import config, connect, home, identity, service, threads


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
    from infra.signing import service_signer
    from learner import critic_store
    from learner.critic_help import DropConfig
    from learner.critic_line import CriticLine
    from learner.live_critic import LiveCritic, LiveCriticConfig
    from learner.live_shadow import LiveShadow, ShadowConfig
    from learner.live_stream import LiveStream
    from learner.shadow_follower import ShadowFollower

    settings, place = config.from_args("live_critic", LiveCriticConfig, args), home.from_args(args)
    os.nice(settings.niceness)
    with contextlib.ExitStack() as stack:
        frame = stack.enter_context(service.from_args("critic", args))
        held = identity.service(place.path, "critic")
        bus = connect.bus(config.from_args("kafka", KafkaConfig, args), held)
        stack.callback(bus.close)
        producer = bus.producer("critic", signer=service_signer(held))
        stack.callback(producer.close)
        mlflow = config.from_args("mlflow", MlflowConfig, args)
        critics = connect.registry(critic_store.registry_config(mlflow))
        trust, directory = identity.trust(place.path, [held]), place.learner / "live_critic"
        follower = critic_store.CriticFollower(critics, directory, poll_s=settings.poll_s, trust=trust)
        shadow = LiveShadow(config.from_args("shadow", ShadowConfig, args), frame.metrics)
        shadows = ShadowFollower(connect.registry(mlflow), place.learner / "shadow", shadow, trust=trust)
        client = config.from_args("operator", OperatorConfig, args)
        line = CriticLine(
            dataclasses.replace(client, operator_id="critic"),
            token=auth.operator_token(file=place.gateway_token),
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
        frame.add_detail("shadow", lambda: shadows.status)
        for run in (follower.run, shadows.run):
            threading.Thread(target=run, args=(frame.stopping,), daemon=True).start()
        line.start()
        stack.callback(line.close)
        stream = LiveStream(bus, live, shadow, metrics=frame.metrics, stopping=frame.stopping)
        stack.callback(stream.close)
        while not frame.stopping.is_set():
            stream.listen(settings.period_s)
            live.cycle(follower.current)
            shadow.cycle(shadows.current)
    return 0


if __name__ == "__main__":
    sys.exit(main())
