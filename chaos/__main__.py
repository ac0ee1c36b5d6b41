"""`touchline chaos`: break a live fleet at random, then audit every promise."""

import sys
from collections.abc import Sequence

from infra import config, threads


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 0 only if every promise held."""
    from chaos.options import ChaosConfig

    parser = config.parser(
        "touchline chaos", "Break a live fleet at random, then audit the robots' own journals against the lake."
    )
    config.add_flags(parser, "chaos", ChaosConfig)
    args = parser.parse_args(argv)
    threads.set_threads(1)

    from chaos.run import run

    return run(config.from_args("chaos", ChaosConfig, args), args)


if __name__ == "__main__":
    sys.exit(main())
