"""The ingest process: one thread per kept topic, one for the upkeep of the tables."""

import functools
import threading
from pathlib import Path

from infra.backoff import Backoff
from infra.bus import Bus
from infra.enrolment import Enrolments
from infra.service import Service
from policy.errors import BusUnavailable
from storage.disk import DiskConfig, LakeDisk
from storage.embodiments import EmbodimentGuard
from storage.ingest import IngestConfig, TopicIngest
from storage.maintenance import MaintenanceConfig, keep_maintained
from storage.provenance import Provenance
from storage.removals import Removals
from storage.sweep import Sweeper
from storage.tables import KEPT_TOPICS, Lake


def run(
    service: Service,
    bus: Bus,
    lake: Lake,
    ingest: IngestConfig,
    maintenance: MaintenanceConfig,
    specs_dir: Path,
    enrolments: Enrolments,
    disk_bounds: DiskConfig,
) -> int:
    """Ingest until the service stops; 0 when everything read was committed, 1 after a bug."""
    if not _has_topics(service, bus):
        return 0
    guard, removals = EmbodimentGuard(specs_dir), Removals(lake)
    disk = LakeDisk(lake.url, disk_bounds, service.metrics)
    service.add_detail("disk", disk.words)
    enrolments.roster()  # a damaged file is told at once, and not by a stream
    provenance = Provenance(enrolments, accept_unsigned=ingest.accept_unsigned)
    streams = [
        TopicIngest(
            topic,
            lake,
            bus,
            config=ingest,
            metrics=service.metrics,
            stopping=service.stopping,
            guard=guard,
            removals=removals,
            disk=disk,
            provenance=provenance,
        )
        for topic in KEPT_TOPICS
    ]
    failures: list[Exception] = []
    threads = []
    for stream in streams:
        service.add_check(f"ingest-{stream.topic.name}", functools.partial(_problem_of, stream))
        name, args = f"ingest-{stream.topic.name}", (service, stream, failures)
        threads.append(threading.Thread(target=_guarded, args=args, name=name))
        threads[-1].start()
    by_name = {stream.topic.name: stream for stream in streams}
    sweeper = Sweeper(lake, removals, {name: stream.lock for name, stream in by_name.items()})
    upkeep = functools.partial(
        keep_maintained,
        lake,
        maintenance,
        service.metrics,
        service.stopping,
        sweeper=sweeper,
        is_ours=lambda topic: by_name[topic.name].keeps_table,
    )
    # A daemon: a compaction cut short by the end of the process changes nothing.
    threading.Thread(target=upkeep, name="maintenance", daemon=True).start()
    for thread in threads:
        thread.join()
    bus.close()
    return 1 if failures else 0


def _guarded(service: Service, stream: TopicIngest, failures: list[Exception]) -> None:
    try:
        stream.run()
    except Exception as error:
        # A bug in one stream: a restart by the supervisor is better than a topic that silently stands.
        service.log.exception("stream ended", extra={"topic": stream.topic.name})
        failures.append(error)
        service.stop()


def _problem_of(stream: TopicIngest) -> str | None:
    return stream.problem


def _has_topics(service: Service, bus: Bus) -> bool:
    """Wait for the broker, however long; False when told to stop first."""
    backoff = Backoff()
    while not service.stopping.is_set():
        try:
            bus.ensure_topics()
            return True
        except BusUnavailable as error:
            service.log.warning("waiting for the broker", extra={"reason": str(error)})
            backoff.wait(service.stopping)
    return False
