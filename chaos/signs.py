"""How a fleet shows that it works: what its processes, its registry, its gateway and its lake say.

    every process is well  and  the registry answers  and  every robot and some person are connected
                           and  the lake has newer steps of every actor process

One definition for whatever was broken, so that times to recover can be compared.
"""

from collections.abc import Sequence

from prometheus_client import Metric

from infra import scrape
from infra.fleet import FleetConfig, robot_names
from infra.local import Supervisor
from infra.registry import PolicyRegistry
from infra.status import WELL, health_of
from infra.topics import STEPS
from policy.errors import LakeError, RegistryError
from policy.schema import ControlMode, Source
from storage.tables import Lake, sql_text

_TIMEOUT_S = 1.0


class Signs:
    """Asks a running fleet how it is."""

    def __init__(self, supervisor: Supervisor, fleet: FleetConfig, lake: Lake, registry: PolicyRegistry) -> None:
        self._supervisor, self._fleet, self._lake, self._registry = supervisor, fleet, lake, registry

    def missing(self, since_ns: int) -> str:
        """What does not work yet, in words; empty when all of it does.

        Args:
            since_ns: steps of each actor process must be newer than this (wall time).
        """
        return self._ill() or self._silent_registry() or self._unconnected() or self._idle_actor(since_ns)

    def is_driven(self) -> bool:
        """Whether a person's commands move a robot now, as the robots themselves say."""
        return any(
            sample.value
            for number in range(self._fleet.num_actors)
            for family in self._metrics(f"actor-{number}")
            for sample in family.samples
            if sample.name == "touchline_robot_state" and sample.labels["state"] == ControlMode.CORRECTING
        )

    def _ill(self) -> str:
        processes = self._supervisor.home.fleet().get("processes", {})
        words = {name: health_of(process) for name, process in processes.items()}
        return next((f"{name} {word}" for name, word in words.items() if word not in WELL), "")

    def _silent_registry(self) -> str:
        try:
            self._registry.aliases()
        except RegistryError as error:
            return f"mlflow: {error}"
        return ""

    def _unconnected(self) -> str:
        wanted = {"robot": self._fleet.num_actors * self._fleet.robots_per_actor, "operator": 1}
        if not self._fleet.has_operators:
            del wanted["operator"]
        found = {
            sample.labels["role"]: sample.value
            for family in self._metrics("gateway")
            for sample in family.samples
            if sample.name == "touchline_gateway_connections"
        }
        lacking = [role for role, number in wanted.items() if found.get(role, 0) < number]
        return f"not all connected: {', '.join(lacking)}" if lacking else ""

    def _idle_actor(self, since_ns: int) -> str:
        try:
            rows = self._lake.read(STEPS, ["robot_id"], f"time_ns > {since_ns} AND source = {sql_text(Source.ROLLOUT)}")
        except LakeError as error:
            return f"lake: {error}"
        fresh = set(rows.column("robot_id").to_pylist())
        idle = [
            f"actor-{number}"
            for number in range(self._fleet.num_actors)
            if not fresh.intersection(robot_names(self._fleet, number))
        ]
        return f"no new steps of {', '.join(idle)} in the lake" if idle else ""

    def _metrics(self, name: str) -> Sequence[Metric]:
        """What a process serves; nothing where it does not answer."""
        process = self._supervisor.home.fleet().get("processes", {}).get(name)
        if process is None or not process["metrics_port"]:
            return ()
        try:
            return scrape.metrics(process["metrics_port"], self._supervisor.home.path, timeout_s=_TIMEOUT_S)
        except OSError:
            return ()
