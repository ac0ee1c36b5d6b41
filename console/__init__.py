"""Floor 3: one web app for operators and engineers, and the server that knows who may do what.

Reading order: `README.md`, `access` (who is asking), `people/`, `sockets/` (browser <-> gateway),
`api/` and `history/` (what engineers ask), `app` (all of it put together).
"""
