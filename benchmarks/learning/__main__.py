"""`python -m benchmarks.learning touch | rounds`: the learning questions, answered in minutes on one core.

    touch    the same demonstrations and updates, with touch and with touch zeroed in training and acting
    rounds   base, then rounds of corrected rollouts and updates, as the live system does them

Every line of output is one JSON object, so that figures can be gathered from a log.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run one question for every seed asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__.splitlines()[0])
    parser.add_argument("question", choices=("touch", "rounds"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="training seeds; scenes differ too")
    parser.add_argument("--algorithm", default="recap", help="recap, hg_dagger, filtered_bc or recap_random")
    parser.add_argument("--demonstrations", type=int, default=150)
    parser.add_argument("--base-updates", type=int, default=900)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--episodes", type=int, default=250, help="rollouts of a round")
    parser.add_argument("--round-updates", type=int, default=1000)
    parser.add_argument("--attention", type=float, default=0.6, help="share of rollouts that somebody watches")
    parser.add_argument("--delay-ticks", type=int, default=0, help="ticks that a chunk is late: inference time")
    parser.add_argument("--evaluations", type=int, default=200, help="held-out scenes per version, without help")
    parser.add_argument("--save", type=Path, default=None, help="directory for the policies' checkpoints")
    arguments = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    import torch

    from benchmarks.learning import questions

    torch.set_num_threads(1)
    settings = questions.Settings(**{k: v for k, v in vars(arguments).items() if k not in ("question", "seeds")})
    ask = {"touch": questions.touch, "rounds": questions.rounds}[arguments.question]
    for seed in arguments.seeds:
        for finding in ask(settings, seed):
            print(json.dumps({"question": arguments.question, "seed": seed, **finding}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
