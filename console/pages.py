"""The few pages that are written here: signing in works before any script of ours has loaded."""

import html

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{head}<title>{title} - Touchline</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/css/sign-in.css">
</head>
<body>
<main>
<h1>Touchline</h1>
{body}
</main>
</body>
</html>
"""
_FORM = """{problem}<form method="post" action="/sign-in">
<input type="hidden" name="next" value="{next}">
<label>Name <input name="name" value="{name}" autocomplete="username" maxlength="64" required{name_focus}></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required{password_focus}></label>
<button>Sign in</button>
</form>
<p class="hint">No account? Ask an admin, or run <code>touchline console link</code> on the machine that serves this
page: it prints a link that signs you in once.</p>
"""


def sign_in(*, problem: str = "", name: str = "", after: str = "/", status: int = 200) -> HTMLResponse:
    """The form; whatever a stranger typed comes back as text, never as HTML."""
    body = _FORM.format(
        problem=f'<p class="problem" role="alert">{html.escape(problem)}</p>\n' if problem else "",
        name=html.escape(name, quote=True),
        next=html.escape(local_path(after), quote=True),
        name_focus="" if name else " autofocus",
        password_focus=" autofocus" if name else "",
    )
    # With "no-referrer" a browser would send this form with the origin "null".
    return _page("Sign in", body, status=status, headers={"Referrer-Policy": "same-origin"})


def go_on(path: str) -> HTMLResponse:
    """Go on to a page of ours.

    A page and not a redirect: a SameSite=Strict cookie does not travel along a redirect that began with
    a link on another site, such as a one-time link in a chat.
    """
    target = html.escape(local_path(path), quote=True)
    head = f'<meta http-equiv="refresh" content="0;url={target}">\n'
    return _page("Signed in", f'<p>You are signed in. <a href="{target}">Go on</a></p>', head=head)


def local_path(path: str) -> str:
    """The path if it is one of this console's, else the first page."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_local and not path.startswith("/sign-in") else "/"


def _page(
    title: str, body: str, *, head: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, head=head, body=body), status, headers)
