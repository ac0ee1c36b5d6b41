"""`scripts/sbom` lists every pinned package with its version and hashes, and asks nobody."""

import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:1"


def test_every_locked_package_is_in_the_bill_of_materials(tmp_path: Path) -> None:
    out = tmp_path / "sbom.json"
    proxies = {name: NOWHERE for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PIP_INDEX_URL", "UV_INDEX_URL")}
    subprocess.run([ROOT / "scripts" / "sbom", out], check=True, env={**os.environ, **proxies}, timeout=200)
    content = json.loads(out.read_text())
    assert content["bomFormat"] == "CycloneDX"
    found = {(part["name"].lower(), part.get("version")): part for part in content["components"]}
    locked = "\n".join((ROOT / "requirements" / name).read_text() for name in ("base.txt", "torch.txt"))
    pins = set(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", locked, flags=re.MULTILINE))
    assert len(pins) > 100
    assert {(name.lower(), version) for name, version in pins} <= found.keys()
    (wheels,) = found["cryptography", dict(pins)["cryptography"]]["externalReferences"]
    assert all(line["alg"] == "SHA-256" for line in wheels["hashes"])
