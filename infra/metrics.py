"""Every metric: one table, read by services, dashboards and tests.

A service writes by name (`metrics.count("touchline_steps_recorded_total", robot="r1")`); a name that
is not in the table, or another set of labels, is a programmer's error. Seconds and bytes are base
units, as Prometheus asks.
"""

import dataclasses
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


@dataclasses.dataclass(frozen=True)
class Metric:
    """One row of the table."""

    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


METRICS = {
    # Robots
    "touchline_robot_up": Metric("gauge", "1 while the robot's loop ticks", ("robot",)),
    "touchline_robot_state": Metric("gauge", "1 for the current control mode", ("robot", "state")),
    "touchline_tick_seconds": Metric("histogram", "Duration of one control tick"),
    "touchline_tick_overruns_total": Metric("counter", "Ticks longer than the period", ("robot",)),
    "touchline_inference_seconds": Metric("histogram", "Duration of one batched chunk inference"),
    "touchline_chunks_late_total": Metric("counter", "Ticks held because no chunk was ready", ("robot",)),
    "touchline_actions_limited_total": Metric("counter", "Actions that the guard changed", ("robot",)),
    "touchline_weights_version_info": Metric("gauge", "1 for the acting version", ("robot", "version")),
    "touchline_weights_age_seconds": Metric("gauge", "Since the acting version was loaded", ("robot",)),
    "touchline_weights_rejected_total": Metric("counter", "Versions refused before acting", ("reason",)),
    "touchline_episodes_total": Metric("counter", "Episodes ended", ("task", "version", "outcome", "assisted")),
    "touchline_steps_recorded_total": Metric("counter", "Steps handed to the recorder", ("robot",)),
    "touchline_steps_dropped_total": Metric("counter", "Steps given up: the spool was full", ("robot", "kind")),
    "touchline_steps_delivered_total": Metric("counter", "Steps acknowledged by the broker", ("robot",)),
    "touchline_spool_bytes": Metric("gauge", "Records on disk that wait for the broker"),
    # People
    "touchline_intervention_seconds_total": Metric("counter", "Held by a person", ("task", "version", "kind")),
    "touchline_interventions_total": Metric("counter", "Interventions", ("task", "version", "trigger")),
    "touchline_help_requests_total": Metric("counter", "Requests for a person, by outcome", ("type", "result")),
    "touchline_help_claim_seconds": Metric("histogram", "From request to its first claim or lease"),
    "touchline_help_resolve_seconds": Metric("histogram", "From request to the answer or lease that ended it"),
    "touchline_robot_waiting_seconds_total": Metric("counter", "Time of robots with an open request for a person"),
    "touchline_lease_events_total": Metric("counter", "Leases granted, refused, lost, released", ("event",)),
    "touchline_command_age_seconds": Metric("histogram", "Age of a human command at the robot"),
    "touchline_commands_dropped_total": Metric("counter", "Human commands not used", ("reason",)),
    "touchline_watchdog_trips_total": Metric("counter", "Robots held: the link was silent"),
    "touchline_estop_total": Metric("counter", "Stops", ("source",)),
    "touchline_video_frame_age_seconds": Metric("histogram", "Age of a frame when sent to an operator"),
    "touchline_gateway_connections": Metric("gauge", "Open sockets", ("role",)),
    "touchline_gateway_events_total": Metric("counter", "Labels, refusals, malformed messages", ("event",)),
    "touchline_console_events_total": Metric("counter", "Refusals, malformed messages, hang-ups", ("event",)),
    "touchline_records_waiting": Metric("gauge", "Labels, marks, answers, audit entries not acknowledged"),
    # Lake
    "touchline_kafka_lag_records": Metric("gauge", "Messages not yet in the table", ("topic",)),
    "touchline_ingest_partitions": Metric("gauge", "Partitions that this ingest reads", ("topic",)),
    "touchline_delta_commit_age_seconds": Metric("gauge", "Since the last commit", ("topic",)),
    "touchline_delta_commit_seconds": Metric("histogram", "Duration of one commit", ("topic",)),
    "touchline_ingested_records_total": Metric("counter", "Records committed", ("topic",)),
    "touchline_duplicates_total": Metric("counter", "Records dropped: already delivered", ("topic",)),
    "touchline_dead_letters_total": Metric("counter", "Messages that did not validate", ("topic",)),
    "touchline_lake_free_bytes": Metric("gauge", "Room left on the lake's disk"),
    "touchline_removed_rows_total": Metric("counter", "Rows taken out, or stripped of a name, by request"),
    "touchline_maintenance_seconds": Metric("histogram", "Duration of compaction and clean-up", ("topic",)),
    "touchline_replay_steps": Metric("gauge", "Steps in the replay ring"),
    "touchline_replay_episodes": Metric("gauge", "Complete episodes in the replay ring"),
    # Learning
    "touchline_learner_steps_total": Metric("counter", "Optimizer steps", ("part",)),
    "touchline_learner_loss": Metric("gauge", "Latest training loss", ("part",)),
    "touchline_learner_wait_seconds_total": Metric("counter", "Time without training", ("on",)),
    "touchline_learner_candidates_total": Metric("counter", "Versions published"),
    "touchline_learner_value_calibration_error": Metric("gauge", "Of the critic, held out", ("task",)),
    "touchline_learner_advantage_positive_ratio": Metric("gauge", "Positive share", ("task", "source")),
    "touchline_critic_steps_total": Metric("counter", "Live steps, by what became of them", ("result",)),
    "touchline_critic_malformed_total": Metric("counter", "Live messages that did not validate", ("topic",)),
    "touchline_critic_value_age_seconds": Metric("histogram", "From a step to its live value"),
    "touchline_critic_help_quality": Metric("gauge", "Precision and recall of value drops", ("measure",)),
    "touchline_shadow_steps_total": Metric("counter", "Live steps on which the shadow proposed"),
    "touchline_shadow_gap_ratio": Metric("gauge", "Shadow from champion, over what two samples of it differ"),
    "touchline_correction_to_fleet_seconds": Metric("histogram", "From correction to acting", ("stage",)),
    "touchline_promotion_total": Metric("counter", "Decisions", ("event",)),
    "touchline_promotion_frozen": Metric("gauge", "1 while promotions are frozen"),
    # This machine
    "touchline_process_up": Metric("gauge", "1 while the supervised process runs", ("process",)),
    "touchline_process_restarts_total": Metric("counter", "Restarts by the supervisor", ("process",)),
}


class Metrics:
    """The metrics of one process; any thread may write."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for name, row in METRICS.items():
            if row.kind == "counter":
                self._counters[name] = Counter(name, row.help, row.labels, registry=self.registry)
            elif row.kind == "gauge":
                self._gauges[name] = Gauge(name, row.help, row.labels, registry=self.registry)
            else:
                self._histograms[name] = Histogram(name, row.help, row.labels, registry=self.registry, buckets=_SECONDS)

    def count(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        """Add to a counter."""
        metric = self._counters[name]
        (metric.labels(**labels) if labels else metric).inc(amount)

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        metric = self._gauges[name]
        (metric.labels(**labels) if labels else metric).set(value)

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add one observation to a histogram."""
        metric = self._histograms[name]
        (metric.labels(**labels) if labels else metric).observe(value)

    def value(self, name: str, **labels: str) -> float:
        """What a counter or gauge stands at; 0 where it was never written."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
