"""Connections that threads share: each is used by one at a time, and thrown away when something went wrong with it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    def close(self) -> None: ...


Connection = TypeVar("Connection", bound=Closable)


class Pool(Generic[Connection]):
    """At most `size` connections, opened when they are needed. Who finds none free waits."""

    def __init__(self, open_one: Callable[[], Connection], size: int) -> None:
        self._open = open_one
        self._free: list[Connection] = []
        self._places = threading.BoundedSemaphore(size)

    @contextmanager
    def lease(self) -> Iterator[Connection]:
        """A connection for the block. After an exception all idle ones are closed too: a server that restarted has dropped every one."""
        with self._places:
            connection = self._free.pop() if self._free else self._open()
            try:
                yield connection
            except BaseException:
                connection.close()
                self.drop_idle()
                raise
            self._free.append(connection)

    def drop_idle(self) -> None:
        while self._free:
            self._free.pop().close()
