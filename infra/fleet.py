"""What a fleet on one machine consists of, and in which order it starts.

    kafka, mlflow  ->  gateway, ingest  ->  console, learner, judge
                   ->  actors, evaluators, critic, operators, demonstrator

Every process is a `touchline` command, started by name. Addresses that are chosen here reach the
processes through their environment and every other terminal through `fleet.json`.
"""

import contextlib
import dataclasses
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from infra import broker, config, connect, console_link, identity, mlflow_server, rollout, whole_file
from infra.broker import BrokerConfig
from infra.bus import KafkaConfig
from infra.home import HOME_VARIABLE, Home
from infra.local import Supervisor
from infra.mlflow_server import MlflowServerConfig
from infra.ports import LOOPBACK, choose_port, free_port, is_open
from infra.processes import Launch
from infra.registry import MlflowConfig
from infra.releases import CanaryCohort


@dataclasses.dataclass(frozen=True, kw_only=True)
class FleetConfig:
    """Who runs on this machine."""

    num_actors: int = 2
    """Robot processes."""
    robots_per_actor: int = 4
    """Simulated robots that share one process and one batched inference."""
    num_evaluators: int = 1
    """Processes that run versions on trial without help; 0 leaves it to the canary robots, whose work then decides."""
    has_operators: bool = True
    """Whether scripted operators help; False where people do."""
    has_learner: bool = True
    """Whether to learn, or only to act and record."""
    has_critic: bool = True
    """Whether the learner's critic watches live; it costs a share of a core."""
    has_console: bool = True
    """Whether to serve the web pages."""
    gateway_port: int = 0
    """Port of the gateway on 127.0.0.1; 0 for a free one."""
    console_port: int = 0
    """Port of the web pages; 0 for a free one."""
    algorithm: str = "recap"
    """What the learner runs."""
    task: str = "plug_insertion"
    """What the robots do: one of ours, a spec file of a Gymnasium environment, or MODULE:CLASS."""
    demonstrations: int = 120
    """Scripted demonstrations to start from, recorded once per home; 0 where people's are there already."""
    seed: int = 0
    """Of demonstrations, training and scripted operators."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Doors:
    """The settings that decide what is embedded and what exists already."""

    kafka: KafkaConfig = dataclasses.field(default_factory=KafkaConfig)
    broker: BrokerConfig = dataclasses.field(default_factory=BrokerConfig)
    mlflow: MlflowConfig = dataclasses.field(default_factory=MlflowConfig)
    mlflow_server: MlflowServerConfig = dataclasses.field(default_factory=MlflowServerConfig)
    canary: CanaryCohort = dataclasses.field(default_factory=CanaryCohort)
    """Its fleet names the robots of other machines."""
    file: Path | None = None
    """TOML file that said so, for every process of the fleet; None where none was named on the command line."""

    @property
    def environ(self) -> dict[str, str]:
        """What tells the processes of the fleet of the file."""
        return {config.CONFIG_VARIABLE: str(self.file)} if self.file else {}

    def cohort(self, robots: Iterable[str]) -> CanaryCohort:
        """The canary's, with the robots that start here behind those that are named.

        Raises:
            ConfigError: it names robots that are neither.
        """
        found = dataclasses.replace(self.canary, fleet=tuple(dict.fromkeys((*self.canary.fleet, *robots))))
        rollout.refuse_missing(found)
        return found


def load_doors(file: Path | None = None) -> Doors:
    """The doors as file and environment say.

    Not as `fleet.json` says: after a crash it still names the servers of the run before, which are gone.
    """
    return Doors(
        kafka=config.load("kafka", KafkaConfig, file=file),
        broker=config.load("broker", BrokerConfig, file=file),
        mlflow=config.load("mlflow", MlflowConfig, file=file),
        mlflow_server=config.load("mlflow_server", MlflowServerConfig, file=file),
        canary=config.load("canary", CanaryCohort, file=file),
        file=file.absolute() if file else None,
    )


Settings = dict[str, dict[str, Any]]


def robot_names(fleet: FleetConfig, actor: int) -> list[str]:
    """The robots of one actor process."""
    return [f"actor-{actor}-{number}" for number in range(fleet.robots_per_actor)]


def start_doors(supervisor: Supervisor, doors: Doors) -> Settings:
    """Start what is embedded, create the topics, and return where everything is.

    Raises:
        ConfigError: no Java, or a port in use.
        BusUnavailable: a named cluster does not answer.
        TouchlineError: a server did not start.
    """
    launches = []
    bootstrap_servers, tracking_url = doors.kafka.bootstrap_servers, doors.mlflow.tracking_url
    if not bootstrap_servers:
        launch, bootstrap_servers = broker.launch(supervisor.home.kafka, doors.broker)
        launches.append(launch)
    if not tracking_url:
        launch, tracking_url = mlflow_server.launch(supervisor.home.mlflow, doors.mlflow_server)
        launches.append(launch)
    supervisor.start(launches)
    kafka = dataclasses.replace(doors.kafka, bootstrap_servers=bootstrap_servers)
    with contextlib.closing(connect.bus(kafka, identity.service(supervisor.home.path, "ingest"))) as cluster:
        cluster.ensure_topics()
    return {"kafka": {"bootstrap_servers": bootstrap_servers}, "mlflow": {"tracking_url": tracking_url}}


def start_fleet(
    supervisor: Supervisor,
    fleet: FleetConfig,
    doors: Doors,
    *,
    environ: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Start everything, stage by stage; returns the environment that all of it shares.

    Args:
        supervisor: entered already.
        fleet: who runs.
        doors: what is embedded.
        environ: added to every process's environment; the demo's way to set anything.

    Raises:
        TouchlineError: as `start_doors`, and when a process refuses its settings.
    """
    cohort = doors.cohort(name for actor in range(fleet.num_actors) for name in robot_names(fleet, actor))
    settings = start_doors(supervisor, doors)
    port = choose_port(fleet.gateway_port, "fleet.gateway_port")
    settings |= {
        "gateway": {"port": port},
        "link": {"url": f"ws://{LOOPBACK}:{port}/robot"},
        "operator": {"url": f"ws://{LOOPBACK}:{port}/operator"},
        "canary": {"fleet": ",".join(cohort.fleet)},
        "actor": {"task": fleet.task, "seed": fleet.seed},
        "learner": {"task": fleet.task, "algorithm": fleet.algorithm, "seed": fleet.seed},
        "scripted": {"seed": fleet.seed},
    }
    if fleet.has_console:
        settings |= {"console": {"port": choose_port(fleet.console_port, "fleet.console_port")}}
        console_link.write_address(supervisor.home, "")  # a killed fleet may have left one
    if not fleet.num_evaluators:
        settings |= {"fast_gate": {"num_episodes": 0}, "judge": {"evidence": "work"}}
    make_token(supervisor.home)
    identity.enrol_services(supervisor.home.path)
    supervisor.publish_settings(settings)
    shared = {**doors.environ, **environ_of(settings), HOME_VARIABLE: str(supervisor.home.path), **(environ or {})}
    for stage in _stages(fleet, shared, supervisor.home):
        supervisor.start(stage)
    return shared


def _stages(fleet: FleetConfig, environ: Mapping[str, str], home: Home) -> list[list[Launch]]:
    def service(name: str, *arguments: str) -> Launch:
        return service_launch(name, arguments, environ)

    pages, learning, actors, others = [], [], [], []
    if fleet.has_console:
        pages = [dataclasses.replace(service("console", "console"), is_ready=lambda: bool(console_link.address(home)))]
    for number in range(fleet.num_actors):
        name = f"actor-{number}"
        actors.append(service(name, "actor", "--name", name, "--robots", str(fleet.robots_per_actor)))
    if fleet.has_learner:
        learning = [service("learner", "learner"), service("judge", "judge")]
        if fleet.has_critic:
            others.append(service("critic", "critic"))
        for number in range(fleet.num_evaluators):
            name = f"evaluator-{number}"
            others.append(service(name, "evaluate", "candidates", "--name", name))
    if fleet.has_operators:
        others.append(service("operators", "operator"))
    if fleet.demonstrations:
        demonstrate = ("actor", "--demonstrate", str(fleet.demonstrations), "--name", "demonstrator")
        others.append(dataclasses.replace(service("demonstrator", *demonstrate), ends=True))
    return [[service("gateway", "gateway"), service("ingest", "ingest")], [*pages, *learning], [*actors, *others]]


def service_launch(name: str, arguments: tuple[str, ...], environ: Mapping[str, str]) -> Launch:
    """One of our own commands as a process; ready when its /healthz answers."""
    metrics_port = free_port()
    return Launch(
        name=name,
        command=(sys.executable, "-m", "infra.cli", *arguments),
        environ={**environ, "TOUCHLINE_SERVICE__METRICS_PORT": str(metrics_port)},
        is_ready=lambda: is_open(LOOPBACK, metrics_port),
        ready_within_s=120.0,
        metrics_port=metrics_port,
    )


def environ_of(settings: Settings) -> dict[str, str]:
    """Settings as the variables that win over any file."""
    return {
        f"TOUCHLINE_{section.upper()}__{field.upper()}": str(value)
        for section, values in settings.items()
        for field, value in values.items()
    }


def make_token(home: Home) -> None:
    """The gateway's secret for this home, readable by its owner only; kept over restarts."""
    whole_file.shared_secret(home.gateway_token)
