"""`touchline demo`: watch a small fleet get better, and get the evidence as a report."""

import sys
from collections.abc import Sequence

from infra import config, threads


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; 0 only if the evidence holds."""
    from demo.options import DemoConfig
    from robots import tasks

    words = f"Watch a small fleet get better; the evidence is written as a report. {tasks.listing()}"
    parser = config.parser("touchline demo", words)
    config.add_flags(parser, "demo", DemoConfig)
    args = parser.parse_args(argv)
    threads.set_threads(1)

    from demo.run import run

    return run(config.from_args("demo", DemoConfig, args), args.home, args.config)


if __name__ == "__main__":
    sys.exit(main())
