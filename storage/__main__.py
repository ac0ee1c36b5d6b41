"""`touchline ingest`: all kept topics into their tables, and the tables' upkeep, in one process."""

import sys
from collections.abc import Sequence
from pathlib import Path

from infra import config, home, identity, service, threads


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; 0 when everything read was committed."""
    threads.set_threads(1)
    from infra import connect
    from infra.bus import KafkaConfig
    from infra.enrolment import Enrolments
    from storage.disk import DiskConfig
    from storage.ingest import IngestConfig
    from storage.maintenance import MaintenanceConfig
    from storage.tables import LakeConfig, lake_of

    parser = config.parser("touchline ingest", "Consume every kept topic into its Delta table, exactly once.")
    sections = {
        "kafka": KafkaConfig,
        "lake": LakeConfig,
        "ingest": IngestConfig,
        "maintenance": MaintenanceConfig,
        "disk": DiskConfig,
    }
    service.add_flags(parser)
    for section, cls in sections.items():
        config.add_flags(parser, section, cls)
    args = parser.parse_args(argv)

    from storage.process import run

    place = home.from_args(args)
    ingest = config.from_args("ingest", IngestConfig, args)
    with service.from_args("ingest", args) as process:
        return run(
            process,
            connect.bus(config.from_args("kafka", KafkaConfig, args), identity.service(place.path, "ingest")),
            lake_of(config.from_args("lake", LakeConfig, args), place),
            ingest,
            config.from_args("maintenance", MaintenanceConfig, args),
            Path(ingest.specs_dir) if ingest.specs_dir else place.path / "specs",
            Enrolments(place.path),
            config.from_args("disk", DiskConfig, args),
        )


if __name__ == "__main__":
    sys.exit(main())
