"""Episodes: lists, one in full, its series and pictures, and what people say of it.

    GET  /api/episodes                 GET /api/episodes/ID               GET /api/episodes/ID/series
    GET  /api/episodes/ID/frames/CAMERA/STEP                              GET /api/episodes/ID/thumb
    GET  /api/episodes/ID/export       GET /api/episodes/ID/ending
    POST /api/episodes/ID/labels       POST /api/episodes/ID/marks

An id may hold slashes, so the routes with something behind it come first. Reads are plain functions:
a query holds a thread of the server's, not its event loop.
"""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from console.access import Person, Role, require
from console.api.answers import answer, params_of
from console.history import filters, listing, pictures, traces
from console.history.detail import detail
from console.history.history import History
from console.history.question import Json
from console.history.reader import EpisodeReader, NotYet
from console.history.snapshot import Snapshot
from console.history.specs import SpecFiles
from console.judgements import Judgements
from policy.errors import ConfigError
from policy.schema import MarkKind, Outcome
from policy.spec import EmbodimentSpec

Viewer = Annotated[Person, Depends(require(Role.VIEWER))]
Reviewer = Annotated[Person, Depends(require(Role.OPERATOR))]
Text = Annotated[str, Field(max_length=2000)]

_MAX_STEP = 1 << 20
_MAX_EXPORT_STEPS = 20_000
_MAX_ENDING_S, _MAX_ENDING_FPS = 30, 10
_PARQUET = "application/vnd.apache.parquet"
_PICTURE_HEADERS = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
"""A picture never changes, but it may be erased: a browser keeps its copy for a day at most."""


class NewLabel(BaseModel):
    """How it went."""

    model_config = ConfigDict(extra="forbid")
    outcome: Outcome
    reason: Text = ""
    progress: Annotated[int, Field(ge=0, le=5)] = 0


class NewMark(BaseModel):
    """Something in it."""

    model_config = ConfigDict(extra="forbid")
    kind: MarkKind
    step_index: Annotated[int, Field(ge=-1, lt=_MAX_STEP)] = -1
    note: Text = ""


class _Shelf:
    """Finds one episode, its body and its pictures."""

    def __init__(self, history: History, reader: EpisodeReader, specs: SpecFiles) -> None:
        self._history, self.reader, self._specs = history, reader, specs

    def find(self, episode_id: str) -> tuple[Snapshot, int]:
        """The snapshot, and the episode's row in it."""
        found = self._history.snapshot()
        row = found.episodes.row(episode_id)
        if row is None:
            raise HTTPException(404, f"no episode {episode_id[:80]!r} has ended, as far as the lake has been read")
        return found, row

    def num_steps(self, episode_id: str) -> int | None:
        """How many steps it has; None where it has not reached the lake."""
        found = self._history.snapshot()
        row = found.episodes.row(episode_id)
        return None if row is None else int(found.episodes.num_steps[row])

    def spec(self, found: Snapshot, row: int) -> EmbodimentSpec | None:
        """The episode's body."""
        return self._specs.get(found.episodes.names["spec"].texts[found.episodes.spec[row]])

    def ending(self, episode_id: str, length_s: int, fps: int) -> Json | None:
        """Steps of the last seconds, at most `fps` of each; None where there are no pictures, or not yet."""
        found = self._history.snapshot()
        row = found.episodes.row(episode_id)
        if row is None:
            return None
        last, rate_hz = int(found.episodes.num_steps[row]) - 1, float(found.episodes.control_rate_hz[row])
        try:
            # Steps come in order: who has the last has them all.
            if last < 0 or rate_hz <= 0 or not self.reader.frames(found, episode_id, last):
                return None
        except NotYet:
            return None
        stride = max(round(rate_hz / fps), 1)
        steps = range(last, max(last - round(length_s * rate_hz), -1), -stride)
        return {"steps": list(reversed(steps)), "control_rate_hz": rate_hz}

    def picture(self, episode_id: str, camera: str, step: int | None) -> Response:
        """One picture; step None for the last."""
        found, row = self.find(episode_id)
        num_steps = int(found.episodes.num_steps[row])
        step = max(num_steps - 1, 0) if step is None else step
        if not 0 <= step < num_steps:
            raise HTTPException(404, f"the episode has steps 0 to {num_steps - 1}, not {step}")
        spec = self.spec(found, row)
        number = pictures.camera_number(camera, spec)
        data = None if number is None else pictures.picture(found, self.reader, episode_id, step, number, spec)
        if data is None:
            names = [own.name for own in spec.cameras] if spec else "numbers from 0"
            raise HTTPException(404, f"no camera {camera[:80]!r}; there are {names}")
        return Response(data, media_type="image/jpeg", headers=_PICTURE_HEADERS)


def router(history: History, reader: EpisodeReader, specs: SpecFiles, judgements: Judgements) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/episodes")
    shelf = _Shelf(history, reader, specs)

    @routes.get("")
    def episodes(request: Request, person: Viewer) -> Response:
        page = listing.parse(params_of(request, (*filters.NAMES, "sort", "limit", "offset")), time.time_ns())
        return answer(history, listing.listing(history.snapshot(), page))

    @routes.get("/{episode_id:path}/series")
    def series(episode_id: str, request: Request, person: Viewer) -> Response:
        asked = traces.parse(params_of(request, ("channels", "first", "last", "buckets")))
        found, _ = shelf.find(episode_id)
        return answer(history, traces.traces(found, reader, episode_id, asked))

    @routes.get("/{episode_id:path}/ending")
    def ending(episode_id: str, request: Request, person: Viewer) -> Response:
        asked = params_of(request, ("length_s", "fps"))
        length_s = filters.whole_number("length_s", asked.get("length_s", ()), 1, _MAX_ENDING_S)
        fps = filters.whole_number("fps", asked.get("fps", ()), 1, _MAX_ENDING_FPS)
        found = shelf.ending(episode_id, length_s or _MAX_ENDING_S, fps or _MAX_ENDING_FPS)
        # Nothing is wrong: a page hears that an episode has ended before the lake has it.
        return Response(status_code=204) if found is None else answer(history, found)

    _add_files(routes, shelf)
    _add_judgements(routes, shelf, judgements)

    @routes.get("/{episode_id:path}")
    def episode(episode_id: str, request: Request, person: Viewer) -> Response:
        params_of(request, ())
        found, row = shelf.find(episode_id)
        return answer(history, detail(found, row, shelf.spec(found, row)))

    return routes


def _add_files(routes: APIRouter, shelf: _Shelf) -> None:
    @routes.get("/{episode_id:path}/frames/{camera}/{step}")
    def frame(episode_id: str, camera: str, step: str, person: Viewer) -> Response:
        return shelf.picture(episode_id, camera, filters.whole_number("step", [step], 0, _MAX_STEP))

    @routes.get("/{episode_id:path}/thumb")
    def thumb(episode_id: str, request: Request, person: Viewer) -> Response:
        asked = params_of(request, ("which", "camera", "try"))  # which try it is matters to the browser's cache alone
        which = filters.word("which", asked.get("which", ()), ("first", "last"), "last")
        camera = filters.single("camera", asked.get("camera", ())) or "0"
        try:
            return shelf.picture(episode_id, camera, 0 if which == "first" else None)
        except NotYet:
            return Response(status_code=204)  # nothing is wrong: a list shows episodes as soon as they end

    @routes.get("/{episode_id:path}/export")
    def export(episode_id: str, person: Viewer) -> Response:
        found, row = shelf.find(episode_id)
        num_steps = int(found.episodes.num_steps[row])
        if num_steps > _MAX_EXPORT_STEPS:
            raise HTTPException(413, f"{num_steps} steps are too many for a page; use: touchline data --export steps")
        name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in episode_id[:80])
        headers = {"Content-Disposition": f'attachment; filename="episode-{name}.parquet"'}
        return Response(shelf.reader.export(found, episode_id), media_type=_PARQUET, headers=headers)


def _add_judgements(routes: APIRouter, shelf: _Shelf, judgements: Judgements) -> None:
    # Who said it is written down by the gateway, which takes labels from everywhere. An episode that ended a
    # moment ago may not have reached the lake yet, so it need not be known here.

    @routes.post("/{episode_id:path}/labels")
    async def label(episode_id: str, body: NewLabel, person: Reviewer) -> dict[str, Any]:
        await judgements.label(person, episode_id, body.outcome, body.reason, body.progress)
        return {"taken": True}

    @routes.post("/{episode_id:path}/marks")
    async def mark(episode_id: str, body: NewMark, person: Reviewer) -> dict[str, Any]:
        num_steps = shelf.num_steps(episode_id)
        if num_steps is not None and body.step_index >= num_steps:
            raise ConfigError(f"step_index must be -1 to {num_steps - 1}", got=body.step_index)
        await judgements.mark(person, episode_id, body.step_index, body.kind, body.note)
        return {"taken": True}
