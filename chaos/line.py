"""A line that can be cut: every byte between two parties passes here.

While it is cut, nothing passes and nobody is told: connections stay open and new ones are taken, as on
a network that swallows packets. When it is whole again, what was on its way arrives, late.
"""

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self

from infra.ports import LOOPBACK

_CHUNK_BYTES = 64 << 10


class Line:
    """A TCP relay on a thread of its own, from `port` to `target_port`; a context manager."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)
        self.port = 0
        """Where to connect; known once entered."""

    def cut(self) -> None:
        """Nothing passes from now on."""
        self._loop.call_soon_threadsafe(self._is_whole.clear)

    def mend(self) -> None:
        """What waited passes, and everything after it."""
        self._loop.call_soon_threadsafe(self._is_whole.set)

    def __enter__(self) -> Self:
        self._thread.start()
        listen = asyncio.start_server(self._carry, LOOPBACK, 0)
        self._server = asyncio.run_coroutine_threadsafe(listen, self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _carry(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        """One connection, until either end closes it."""
        self._ends.add(near)
        try:
            await self._is_whole.wait()
            far_reader, far = await asyncio.open_connection(LOOPBACK, self._target_port)
            self._ends.add(far)
            try:
                await asyncio.gather(self._pump(near_reader, far), self._pump(far_reader, near))
            finally:
                self._ends.discard(far)
                far.close()
        except (OSError, asyncio.CancelledError):
            pass  # the far end is not there, one of them went away, or we close: both find out by the close
        finally:
            self._ends.discard(near)
            near.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Everything from one end to the other; a closed end closes the other."""
        try:
            while data := await reader.read(_CHUNK_BYTES):
                await self._is_whole.wait()
                writer.write(data)
                await writer.drain()
            await self._is_whole.wait()
        finally:
            writer.close()

    async def _close(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for end in self._ends:
            end.close()
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
