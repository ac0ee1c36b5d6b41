"""`touchline actor`: robots at work; with --evaluate or --demonstrate, a number of scenes and then the end."""

import sys
from collections.abc import Sequence

from infra import config, service, threads


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM, or until the scenes are done; 0 when the broker has all of it."""
    threads.set_threads(1)
    from actor.options import EVERY_CANDIDATE, ActorConfig
    from robots import tasks

    words = f"Robots at work: observe, infer, arbitrate, guard, apply, record. {tasks.listing()}"
    parser = config.parser("touchline actor", words)
    work = parser.add_mutually_exclusive_group()
    work.add_argument(
        "--evaluate",
        metavar="VERSION",
        help=f"run held-out scenes without help; '{EVERY_CANDIDATE}': of whatever is on trial, for ever",
    )
    work.add_argument("--demonstrate", metavar="N", type=int, help="record N demonstrations of the scripted expert")
    parser.add_argument("--episodes", type=int, default=200, help="with --evaluate: number of scenes (200)")
    parser.add_argument("--split", choices=("gate", "report"), default="gate", help="with --evaluate: which scenes")
    config.add_flags(parser, "actor", ActorConfig)
    service.add_flags(parser)
    args = parser.parse_args(argv)

    from actor.process import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
