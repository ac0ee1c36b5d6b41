"""The bodies that robots filed, for names and units of channels and sizes of pictures."""

from pathlib import Path

from console.history.question import Json
from policy.errors import SchemaError
from policy.spec import ChannelSpec, EmbodimentSpec


class SpecFiles:
    """Specs of one folder, each read once; one that is missing is looked for again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._specs: dict[str, EmbodimentSpec] = {}

    def get(self, spec_id: str) -> EmbodimentSpec | None:
        """The spec of an id; None where no robot filed it here."""
        if spec_id not in self._specs and self._directory.is_dir():
            for file in sorted(self._directory.glob("*.json")):
                try:
                    spec = EmbodimentSpec.from_json(file.read_text())
                except (SchemaError, OSError, UnicodeDecodeError):
                    continue  # ingest says so in its log; a page does without
                self._specs[spec.spec_id] = spec
        return self._specs.get(spec_id)


def spec_json(spec: EmbodimentSpec | None) -> Json | None:
    """A spec for a page."""
    if spec is None:
        return None

    def channels(group: tuple[ChannelSpec, ...]) -> list[Json]:
        return [{"name": channel.name, "unit": channel.unit} for channel in group]

    return {
        "spec_id": spec.spec_id,
        "name": spec.name,
        "control_rate_hz": spec.control_rate_hz,
        "state": channels(spec.state),
        "tactile": channels(spec.tactile),
        "action": channels(spec.action),
        "cameras": [{"name": camera.name, "height": camera.height, "width": camera.width} for camera in spec.cameras],
    }
