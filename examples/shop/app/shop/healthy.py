"""A health check that is cheap to start: exit code 0 when the server on this port says that it is well, or the file was touched lately.

    python3 -IS healthy.py PORT
    python3 -IS healthy.py FILE SECONDS
"""

import os
import sys
import time


def answers(port: int) -> bool:
    import _socket  # Python's own socket module takes longer to load than the question takes.

    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    connection.settimeout(5)
    try:
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        status = connection.recv(256).split(b"\r\n", 1)[0]
    except OSError as error:
        print(f"port {port}: {error}")
        return False
    if b" 200 " in status:
        return True
    print(status.decode("ascii", "replace"))
    return False


def touched(file: str, seconds: float) -> bool:
    try:
        age = time.time() - os.stat(file).st_mtime
    except FileNotFoundError:
        age = float("inf")
    if age <= seconds:
        return True
    print(f"{file} was not touched for {age:.0f} s")
    return False


if __name__ == "__main__":
    _, what, *more = sys.argv
    well = touched(what, float(more[0])) if more else answers(int(what))
    sys.exit(0 if well else 1)
