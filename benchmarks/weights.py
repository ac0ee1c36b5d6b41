"""How long large weights travel: `python -m benchmarks weights [--megabytes N] [--turns N]`.

A checkpoint of random bytes is published through MLflow, signed, and made champion. Then the clock starts, and a robot
does what it does when it hears of a release: it asks for the aliases and the version, checks who released it, downloads
it, hashes it, and checks who signed it. It stops when the files lie under their final name. Loading the network is not
part of it; the server and this robot share the machine.
"""

import argparse
import contextlib
import dataclasses
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import Figure, publish
from benchmarks.processes import usage
from infra import connect, identity, mlflow_server, registry, weight_signing
from infra.credentials import Credential
from infra.home import Home
from infra.mlflow_server import MlflowServerConfig
from infra.processes import running
from infra.registry import CHAMPION, MlflowConfig, PolicyRegistry

_CHUNK_BYTES = 16 << 20
_UPLOAD_TIMEOUT_S = 600
"""Publishing is not measured, and hashing on a busy machine takes its time."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fetched:
    """One release, at the robot."""

    took_s: float
    """Until it was here."""
    server_share: float
    """Of a core, that the registry's server took meanwhile."""
    robot_share: float
    hashing_s: float
    """Of what has come, once more."""


@contextlib.contextmanager
def mlflow_alone(home: Home) -> Iterator[tuple[MlflowConfig, int]]:
    """A registry server of its own, and its process id."""
    launch, address = mlflow_server.launch(home.mlflow, MlflowServerConfig())
    with running(launch, home.logs) as process:
        yield MlflowConfig(tracking_url=address, request_timeout_s=_UPLOAD_TIMEOUT_S), process.pid


def release(known: PolicyRegistry, learner: Credential, judge: Credential, folder: Path, num_bytes: int) -> None:
    """Publish new bytes, sign them, and make them the champion."""
    folder.mkdir()
    with (folder / "weights.safetensors").open("wb") as file:
        for start in range(0, num_bytes, _CHUNK_BYTES):
            file.write(os.urandom(min(_CHUNK_BYTES, num_bytes - start)))
    published = known.publish(folder, tags={registry.SPEC_TAG: "bench"})
    weight_signing.sign_weights(known, learner, published)
    weight_signing.give_order(known, judge, published.version, CHAMPION)
    known.set_alias(CHAMPION, published.version)


def fetch(known: PolicyRegistry, trust: weight_signing.Trust, directory: Path, server_pid: int) -> Fetched:
    """Get the champion as a robot does."""
    pids = (server_pid, os.getpid())
    before, started_s = [usage(pid).cpu_s for pid in pids], time.monotonic()
    version = known.get(known.aliases()[CHAMPION])
    trust.order_of(version, CHAMPION)
    here = weight_signing.fetch(known, version, directory, trust)
    took_s = time.monotonic() - started_s
    shares = [(usage(pid).cpu_s - cpu_s) / took_s for pid, cpu_s in zip(pids, before, strict=True)]
    hashing_s = time.monotonic()
    registry.verify(here, version)
    hashing_s = time.monotonic() - hashing_s
    return Fetched(took_s=took_s, server_share=shares[0], robot_share=shares[1], hashing_s=hashing_s)


def measure(folder: Path, num_bytes: int, num_turns: int) -> list[Fetched]:
    """Several releases, each of new bytes."""
    home = Home(folder / "home")
    identity.enrol_services(home.path)
    robot = identity.robot(home.path, "bench-0", is_simulated=True)
    learner, judge = (identity.service(home.path, name) for name in ("learner", "judge"))
    trust, found = identity.trust(home.path, [robot]), []
    with mlflow_alone(home) as (config, server_pid):
        known = connect.registry(config)
        for turn in range(num_turns):
            release(known, learner, judge, folder / f"checkpoint-{turn}", num_bytes)
            found.append(fetch(known, trust, home.weights, server_pid))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=780.0, help="size of the checkpoint")
    parser.add_argument("--turns", type=int, default=3, help="releases")
    parser.add_argument("--quick", action="store_true", help="one release of 8 MB: to see that it works")
    args = parser.parse_args(argv)
    megabytes, num_turns = (8.0, 1) if args.quick else (args.megabytes, args.turns)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), round(megabytes * 1e6), num_turns)
    last = found[-1]
    publish(
        [
            Figure.of(
                f"{megabytes:g} MB, from its release to the robot's disk, verified",
                [fetched.took_s for fetched in found],
                unit="s",
                at_most=10.0,
                bounded_by=f"server at {last.server_share:.0%} of a core, robot at {last.robot_share:.0%}",
            ),
            Figure.of("of that, hashing", [fetched.hashing_s for fetched in found], unit="s"),
            Figure.of("rate in all", [megabytes / fetched.took_s for fetched in found], unit="MB/s"),
        ]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
