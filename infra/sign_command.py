"""`touchline sign VERSION`: vouch for weights that the learner did not sign.

For versions published before there were signatures, or by other means than our learner. Whoever types this
has looked at where they come from: from then on robots take them as the fleet's own.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from infra import config, connect, home, identity, weight_signing
from infra.registry import MlflowConfig
from infra.releases import CANARY, CHAMPION


def main(argv: Sequence[str] | None = None) -> int:
    """Sign a version, and its release where it acts already."""
    parser = config.parser("touchline sign", "Vouch for weights that the learner did not sign.")
    parser.add_argument("version", help="version number in the registry")
    config.add_flags(parser, "mlflow", MlflowConfig)
    args = parser.parse_args(argv)
    place = home.from_args(args).path
    weights = connect.registry(config.from_args("mlflow", MlflowConfig, args))
    found = weights.get(args.version)
    with tempfile.TemporaryDirectory() as folder:
        weights.fetch(found, Path(folder))
    weight_signing.sign_weights(weights, identity.service(place, "learner"), found)
    aliases = weights.aliases()
    acts = [role for role in (CHAMPION, CANARY) if aliases.get(role) == args.version]
    for role in acts:
        weight_signing.give_order(weights, identity.service(place, "release"), args.version, role)
    sys.stdout.write(f"version {args.version} is signed" + (f", as {' and '.join(acts)}" if acts else "") + "\n")
    return 0
