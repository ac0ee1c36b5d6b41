"""`touchline learner`: train on what the fleet did, publish candidates."""

import sys
from collections.abc import Sequence

from infra import config, service, threads
from learner.schedule import LearnerConfig


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; idle once `num_rounds` are done."""
    parser = config.parser("touchline learner", "Wait for data, pin it, label it, train, publish a candidate.")
    config.add_flags(parser, "learner", LearnerConfig)
    service.add_flags(parser)
    args = parser.parse_args(argv)
    threads.set_threads(config.from_args("learner", LearnerConfig, args).num_threads)

    from learner.process import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
