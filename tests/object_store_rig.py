"""A real S3 server on this machine, SeaweedFS, with one bucket; whoever speaks to it finds all in its environment."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow.fs as pafs

from infra.ports import LOOPBACK, free_port, is_open
from infra.processes import Launch, running

BUCKET = "touchline"
_KEY, _SECRET = "key", "secret of this test alone"
_PARTS = ("master", "volume", "filer", "s3")
_START_S = 60.0


@contextlib.contextmanager
def serving(directory: Path) -> Iterator[Mapping[str, str]]:
    """The environment of processes that use the store, while it runs."""
    directory.mkdir(parents=True, exist_ok=True)
    ports = {f"-{part}.port{kind}": free_port() for part in _PARTS for kind in ("", ".grpc")}
    # Nothing in it is worth a drain, which would take it ten seconds.
    with running(_launch(directory, ports), directory, drain_s=0.0):
        endpoint = f"{LOOPBACK}:{ports['-s3.port']}"
        _make_bucket(endpoint)
        yield {
            "AWS_ENDPOINT_URL": f"http://{endpoint}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
        }


def _launch(directory: Path, ports: Mapping[str, int]) -> Launch:
    identity = {
        "name": "touchline",
        "credentials": [{"accessKey": _KEY, "secretKey": _SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    accounts = directory / "accounts.json"
    accounts.write_text(json.dumps({"identities": [identity]}))
    options = {
        "-dir": directory,
        "-ip": LOOPBACK,
        "-ip.bind": LOOPBACK,
        "-filer.localSocket": directory / "filer.sock",
        "-s3.config": accounts,
        "-s3.port.iceberg": 0,
        "-s3.port.lance": 0,
        "-master.volumeSizeLimitMB": 64,
        "-volume.max": 0,
        **ports,
    }
    command = [str(Path(sys.executable).with_name("weed")), "server", "-filer", "-s3"]
    return Launch(
        name="object-store",
        command=(*command, *(f"{name}={value}" for name, value in options.items())),
        environ={"HOME": str(directory), "GOMAXPROCS": "1"},
        is_ready=lambda: is_open(LOOPBACK, ports["-s3.port"]),
        ready_within_s=_START_S,
    )


def _make_bucket(endpoint: str) -> None:
    """The server opens its port before it can keep anything."""
    deadline = time.monotonic() + _START_S
    while True:
        try:
            files(endpoint).create_dir(BUCKET)
            with files(endpoint).open_output_stream(f"{BUCKET}/ready") as sink:
                sink.write(b"yes")
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def files(endpoint: str) -> pafs.S3FileSystem:
    """The store as a file system."""
    return pafs.S3FileSystem(
        access_key=_KEY,
        secret_key=_SECRET,
        endpoint_override=endpoint,
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
    )


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """This process's own environment with some more in it."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
