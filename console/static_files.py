"""The browser's files as they lie in the package, and the shell that is served for every page."""

import base64
import hashlib
import re
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


class CachedFiles(StaticFiles):
    """Files that browsers keep, and ask about each time: 304 while the ETag is the same."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 304."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def inline_script_hashes(html: bytes) -> tuple[str, ...]:
    """For each inline script of a page its `sha256-...`, as the content policy names it."""
    return tuple(
        "sha256-" + base64.b64encode(hashlib.sha256(script).digest()).decode()
        for script in _INLINE_SCRIPT.findall(html)
    )
