"""What the pages ask about the lake, the registry and the fleet: their routers, and what runs behind them."""

import argparse
import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fastapi import APIRouter

from console.api import episodes, fleet, learning, series, weights
from console.history.fleet_watch import FleetWatch, FleetWatchConfig
from console.history.history import History, HistoryConfig
from console.history.reader import EpisodeReader
from console.history.specs import SpecFiles
from console.history.staleness import staleness
from console.judgements import GatewayJudgements
from console.live import Live
from console.sockets.gateway_line import GatewayAddress
from infra import config, connect, identity
from infra.bus import KafkaConfig
from infra.home import Home
from infra.ledger import Ledger
from infra.registry import MlflowConfig
from infra.releases import CanaryCohort
from infra.rollout_state import RolloutConfig
from infra.signing import service_signer
from storage.ingest import IngestConfig
from storage.tables import LakeConfig, lake_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Routers:
    """Ready to be served."""

    routers: Sequence[APIRouter]
    problem: Callable[[], str | None]
    """Why what they show is old; None where it is not."""
    flush: Callable[[], int]
    """Sends the ledger's lines that wait for the broker; takes seconds while it is away."""


@contextlib.contextmanager
def running(args: argparse.Namespace, place: Home, gateway: GatewayAddress, live: Live) -> Iterator[Routers]:
    """The routers, as long as they are served.

    Raises:
        ConfigError: no registry is named, or a setting is wrong.
    """
    settings = config.from_args("history", HistoryConfig, args)
    lake = lake_of(config.from_args("lake", LakeConfig, args), place)
    history = History(lake, config=settings)
    watch = FleetWatch(place, config=config.from_args("fleet_watch", FleetWatchConfig, args))
    specs = config.from_args("ingest", IngestConfig, args).specs_dir
    with contextlib.ExitStack() as stack:
        signatory = identity.service(place.path, "console")
        kafka = connect.bus(config.from_args("kafka", KafkaConfig, args), signatory)
        stack.callback(kafka.close)
        producer = kafka.producer("console-ledger", wait_s=0, signer=service_signer(signatory))
        stack.callback(producer.close, 1.0)
        ledger = Ledger(producer, signatory=signatory)
        served = [
            episodes.router(
                history,
                EpisodeReader(lake, cache_bytes=settings.cache_bytes),
                SpecFiles(Path(specs) if specs else place.path / "specs"),
                GatewayJudgements(gateway),
            ),
            learning.router(history, watch),
            series.router(history, watch),
            fleet.router(history, watch, live),
            weights.router(
                registry=connect.registry(config.from_args("mlflow", MlflowConfig, args)),
                ledger=ledger,
                cohort=config.from_args("canary", CanaryCohort, args),
                stages=config.from_args("rollout", RolloutConfig, args),
                robots=lambda: staleness(history.snapshot(), time.time_ns()),
                lines=lambda: history.snapshot().ledger.releases,
            ),
        ]
        for follower in (history, watch):
            follower.start()
            stack.callback(follower.close)
        yield Routers(routers=served, problem=lambda: history.freshness.away or None, flush=ledger.flush)
