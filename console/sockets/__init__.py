"""Browsers' sockets: each has a gateway connection of its own, so the gateway sees every person."""
