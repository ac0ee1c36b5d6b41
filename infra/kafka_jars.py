"""Kafka's jars, fetched once by Maven into `.cache/kafka/` of the checkout.

`scripts/install` runs this module; a broker that finds no jars does the same.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.java import find_java
from policy.errors import ConfigError

POM = Path(__file__).parent / "kafka" / "pom.xml"
_CACHE = Path(__file__).parents[1] / ".cache" / "kafka"
_TIMEOUT_S = 600


def ensure_jars(cache: Path = _CACHE) -> Path:
    """The directory with the jars that `pom.xml` names, fetched now where they are not there yet.

    Raises:
        ConfigError: Maven is missing, or could not fetch them.
    """
    # Named after the pom's content: another version is another directory.
    target = cache / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    if target.is_dir():
        return target
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigError("Kafka's jars are fetched by Maven, which is not here; install Debian's maven")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        draft = Path(scratch) / "jars"
        command = [maven, "--batch-mode", "--quiet", "--file", str(POM)]
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={draft}"]
        # Maven runs on the Java that will run the broker, also where that came from PyPI.
        environ = {**os.environ, "JAVA_HOME": str(find_java().resolve().parents[1])}
        done = subprocess.run(
            command + goal, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=environ
        )
        if done.returncode:
            raise ConfigError("Maven could not fetch Kafka", cause=(done.stdout + done.stderr)[-1000:])
        if not target.is_dir():  # somebody else may have been quicker
            draft.rename(target)
    return target


if __name__ == "__main__":
    sys.stdout.write(f"{ensure_jars()}\n")
