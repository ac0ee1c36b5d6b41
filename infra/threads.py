"""How many threads the numeric libraries of this process use.

Several services share a machine: two torch threads each on two busy cores were 18 times slower than
one (measured). Call it before the first heavy import; torch is told too where it is loaded already.
"""

import os
import sys

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def set_threads(num_threads: int) -> None:
    """Limit BLAS, OpenMP and torch to `num_threads` in this process and its children."""
    os.environ.update(dict.fromkeys(_VARIABLES, str(num_threads)))
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(num_threads)
