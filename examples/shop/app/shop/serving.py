"""An HTTP server with routes, that ends at SIGTERM once it has answered what was asked."""

import json
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LONGEST_BODY = 64 * 1024
# How long a connection may be silent (seconds), and how long answers may take once it is to end: less than a second in all.
SILENCE = 75.0
PATIENCE = 0.7


class Refused(Exception):
    """The answer is this status, with a reason for whoever asked."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    arguments: tuple[str, ...]  # what the route's groups matched

    def json(self) -> dict[str, object]:
        """The body, which must be a JSON object. Raises Refused."""
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "the body must be a JSON object")
        return value

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode("utf-8", "replace")).items()}


@dataclass
class Response:
    body: bytes = b""
    status: HTTPStatus = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(json.dumps(value).encode(), status, {"Content-Type": "application/json"})


Routes = list[tuple[str, str, Callable[[Request], Response]]]
"""Method, path as a regular expression, and what answers."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    # An end waits for answers, not for clients that keep their connection.
    block_on_close = False

    def __init__(self, port: int, routes: Routes, describe: Callable[[Exception], Refused | None]) -> None:
        self.routes = [(method, re.compile(path), answer) for method, path, answer in routes]
        self.describe = describe
        self.closing = False
        self.busy = 0
        self.changed = threading.Condition()
        super().__init__(("", port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def finish(self) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.busy == 0, PATIENCE)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "shop"
    sys_version = ""
    timeout = SILENCE
    # One packet for head and body.
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(self) -> None:
        with self.server.changed:
            self.server.busy += 1
        try:
            response = self.respond()
            self.close_connection = self.close_connection or self.server.closing
            self.send(response)
        finally:
            with self.server.changed:
                self.server.busy -= 1
                self.server.changed.notify_all()

    do_GET = do_HEAD = do_POST = do_DELETE = answer

    def respond(self) -> Response:
        try:
            request = self.read()
            return self.route(request)
        except Refused as refused:
            return as_json({"error": str(refused)}, refused.status)
        except Exception as error:
            refused = self.server.describe(error)
            self.log_error("%s %s: %s: %s", self.command, self.path, type(error).__name__, error)
            if refused is None:
                return as_json({"error": "something went wrong"}, HTTPStatus.INTERNAL_SERVER_ERROR)
            return as_json({"error": str(refused)}, refused.status)

    def read(self) -> Request:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            self.close_connection = True
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "the body must have a length")
        if int(length) > LONGEST_BODY:
            self.close_connection = True
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have {LONGEST_BODY} bytes")
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        method = "GET" if self.command == "HEAD" else self.command
        return Request(method, urlsplit(self.path).path, headers, body, ())

    def route(self, request: Request) -> Response:
        known = False
        for method, path, answer in self.server.routes:
            if match := path.fullmatch(request.path):
                known = True
                if method == request.method:
                    request.arguments = match.groups()
                    return answer(request)
        if known:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not for {request.path}")
        raise Refused(HTTPStatus.NOT_FOUND, "there is no such page")

    def send(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        print(format % args, file=sys.stderr, flush=True)


def serve(port: int, routes: Routes, describe: Callable[[Exception], Refused | None] = lambda error: None) -> None:
    """Answers until SIGTERM. `describe` says what an exception means to whoever asked; None: nothing that concerns them."""
    started = time.monotonic()
    server = Server(port, routes, describe)

    def end(*_: object) -> None:
        server.closing = True
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(f"listening on port {port}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    server.finish()
    print(f"ended after {time.monotonic() - started:.1f} s", flush=True)
