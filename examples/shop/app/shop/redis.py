"""Redis, as much of it as the shop needs: the protocol is a few lines, and a client library takes longer to load than the shop."""

import socket

Value = str | int | list["Value"] | None


class RedisError(Exception):
    """Redis refused a command, or could not be asked."""


class Redis:
    """One connection, for one thread at a time. Replies are text, numbers, lists, or None."""

    def __init__(self, host: str, port: int = 6379, timeout: float = 5) -> None:
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as error:
            raise RedisError(f"no connection to {host}:{port}: {error}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")
        self._timeout = timeout

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def command(self, *words: str | int, wait: float = 0) -> Value:
        """Sends one command and returns its reply. `wait`: seconds that the command itself may block."""
        return self.commands([words], wait)[0]

    def commands(self, commands: list[tuple[str | int, ...]], wait: float = 0) -> list[Value]:
        """Sends several commands at once and returns their replies. Raises RedisError for the first that is refused."""
        message = b"".join(encode(words) for words in commands)
        try:
            self._socket.settimeout(self._timeout + wait)
            self._socket.sendall(message)
            replies = [self._reply() for _ in commands]
        except OSError as error:
            raise RedisError(f"the connection broke: {error}") from error
        for reply in replies:
            if isinstance(reply, RedisError):
                raise reply
        return replies

    def _line(self) -> bytes:
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise RedisError("the connection was closed")
        return line[:-2]

    def _reply(self) -> Value | RedisError:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        size = int(rest)
        if size < 0:
            return None
        if kind == b"$":
            return self._stream.read(size + 2)[:-2].decode()
        if kind == b"*":
            return [self._reply() for _ in range(size)]
        raise RedisError(f"not a reply: {line!r}")


def encode(words: tuple[str | int, ...]) -> bytes:
    """A command as the protocol has it: an array of strings."""
    parts = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
