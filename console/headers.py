"""What surrounds every answer: a strict content policy, and refusals before any code of ours runs.

Nothing is loaded from, or sent to, another origin; no inline script runs but the import map, which is
named by its hash; nobody shows our pages in a frame.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.people.origins import Origins

MAX_BODY_BYTES = 65_536


def content_policy(script_hashes: tuple[str, ...] = ()) -> str:
    """The Content-Security-Policy.

    Args:
        script_hashes: "sha256-..." of the inline scripts that may run.
    """
    scripts = " ".join(["'self'", *(f"'{digest}'" for digest in script_hashes)])
    return (
        f"default-src 'self'; script-src {scripts}; connect-src 'self'; img-src 'self' blob: data:; "
        "worker-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )


class Surroundings:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, origins: Origins, policy: str, is_secure: bool) -> None:
        """`policy`: the Content-Security-Policy; `is_secure`: whether we speak https."""
        self._app = app
        self._origins = origins
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        if is_secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add the headers."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        # Health is asked by whatever name a supervisor has for this machine.
        if scope["path"] != "/healthz" and not self._origins.allows_host(headers.get("host", "")):
            return _Refusal(400, "this console is not known under that address: add it to console.origins")
        if scope["type"] == "websocket" and not self._origins.allows(headers.get("origin", "")):
            return _Refusal(403, "this page does not come from this console")
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            # Bodies are small JSON: one whose length is not told is not ours.
            length = headers.get("content-length", "" if "transfer-encoding" in headers else "0")
            if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
                return _Refusal(413, f"a request's body has a Content-Length of at most {MAX_BODY_BYTES} bytes")
        return None


class _Refusal:
    """Answers a request, or a request for a socket, with words."""

    def __init__(self, status: int, words: str) -> None:
        self._response = JSONResponse({"error": words}, status)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it was accepted: 403
        else:
            await self._response(scope, receive, send)
