"""What the fleet did, held in columns, so that a page gets its answer in milliseconds.

    Delta tables --tails, one thread--> columns --frozen--> Snapshot --filters, panels--> plain JSON values

Requests read snapshots and never the lake, but for one episode's steps and pictures (`reader`).
Nothing here knows of HTTP: `console/api/` is the thin side of that.
"""
