"""An HTTP proxy on this machine that breaks what passes through it, on purpose and by rule.

A rule names requests by method and path and says which of them to break: the n-th ones, or a share
of all. The host that a client signs is passed on, so signatures stay right.
"""

import http.client
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

CONTROL = "/__proxy__"

_ERROR = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Error><Code>{code}</Code><Message>made by a test</Message></Error>"
)
_REFUSALS = {
    "503": (503, "SlowDown"),
    "500": (500, "InternalError"),
    "409": (409, "ConditionalRequestConflict"),
    "denied": (403, "AccessDenied"),
    "expired": (403, "ExpiredToken"),
    "elsewhere": (400, "AuthorizationHeaderMalformed"),
    "200": (200, "InternalError"),
}
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Request(NamedTuple):
    """A request that came; `signature` says whose key it was signed with."""

    method: str
    path: str
    signature: str = ""


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class Rule:
    """Breaks some requests.

    Attributes:
        fault: A refusal, not passed on: "503", "500", "409", "denied", "expired"; "elsewhere": one
            as AWS gives where the region is wrong; "200": one whose status says that all went
            well, as a store's that began to answer too soon.
            Passed on, then refused: "applied-500", "applied-503".
            "reset-before", "reset-after": the connection breaks before or after it is passed on.
            "kill-before", "kill-after": likewise, and process `pid` is killed.
            "cut", "flip": the answer's body ends, or has one bit changed, at `place`.
            "reset": the connection breaks there.
            "unconditional": what was refused for a condition is said to be done, as by a store that
            does not know conditional writes.
            "stall": the answer's body stops at `place` for `seconds`. "delay": it comes late.
            "hold": it is passed on when the rule goes; see `Proxy.late`.
        method: Regular expression.
        path: Regular expression, searched for in path and query.
        signature: Regular expression, searched for in the header that signs.
        first: The number of the first request that matches and is broken, from 1 on.
        times: How many of them; 0: all from there on.
        share: How many of these, at random.
        place: Between 0 and 1.
        seconds: How long.
        pid: Who is killed.
    """

    fault: str
    method: str = ".*"
    path: str = ".*"
    signature: str = ""
    first: int = 1
    times: int = 0
    share: float = 1.0
    place: float = 0.5
    seconds: float = 0.0
    pid: int = 0

    def matches(self, request: Request) -> bool:
        return bool(
            re.fullmatch(self.method, request.method)
            and re.search(self.path, request.path)
            and re.search(self.signature, request.signature)
        )


@dataclass
class _State:
    """What the proxy knows; in its own process."""

    rules: list[Rule] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def set_rules(self, rules: list[Rule]) -> None:
        with self.lock:
            self.rules, self.requests = rules, []
            self.seen, self.done = [0] * len(rules), [0] * len(rules)

    def note(self, request: Request) -> Rule | None:
        """Counts a request and finds the rule that breaks it."""
        with self.lock:
            self.requests.append(request)
            for number, rule in enumerate(self.rules):
                if not rule.matches(request):
                    continue
                self.seen[number] += 1
                nth = self.seen[number] - rule.first
                hit = nth >= 0 and (not rule.times or nth < rule.times)
                if hit and (rule.share >= 1 or self.chance.random() < rule.share):
                    self.done[number] += 1
                    return rule
            return None


@dataclass(frozen=True)
class Proxy:
    """A running proxy, as a test sees it.

    Attributes:
        endpoint: Its URL.
    """

    endpoint: str

    def break_by(self, *rules: Rule) -> None:
        """Makes these the rules, and begins to count anew."""
        self._ask("PUT", json.dumps([asdict(rule) for rule in rules]))

    @property
    def done(self) -> int:
        """How many requests were broken."""
        return sum(self._ask("GET")["done"])

    @property
    def late(self) -> list[int]:
        """What the server answered to requests that had been held."""
        statuses: list[int] = self._ask("GET")["late"]
        return statuses

    @property
    def requests(self) -> list[Request]:
        """All that came since."""
        return [Request(*one) for one in self._ask("GET")["requests"]]

    def _ask(self, method: str, body: str = "") -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=60)
        try:
            connection.request(method, CONTROL, body)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def start_proxy(endpoint: str) -> Iterator[Proxy]:
    """A proxy before a server, on a free port and in a process of its own.

    Not in this one: while Delta's library waits for an answer, no other thread here may run.
    """
    process = subprocess.Popen(
        [sys.executable, __file__, urlsplit(endpoint).netloc], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Proxy(process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: str
    state: _State

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == CONTROL:
            self.obey(body)
            return
        rule = self.state.note(
            Request(self.command, self.path, self.headers.get("Authorization") or "")
        )
        if rule is None:
            self.send(self.pass_on(body))
        else:
            self.break_by(rule, body)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def obey(self, body: bytes) -> None:
        """What the test asks of the proxy itself."""
        if self.command == "PUT":
            self.state.set_rules([Rule(**rule) for rule in json.loads(body)])
        names = ("done", "late", "requests")
        said = {name: getattr(self.state, name) for name in names}
        self.send(Answer(200, [], json.dumps(said).encode()))

    def log_message(self, *_: object) -> None:
        pass

    def pass_on(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in {"connection", "expect"}:
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def break_by(self, rule: Rule, body: bytes) -> None:
        fault = rule.fault
        if fault in _REFUSALS:
            self.refuse(*_REFUSALS[fault])
        elif fault.startswith("applied-"):
            self.pass_on(body)
            self.refuse(*_REFUSALS[fault.removeprefix("applied-")])
        elif fault.endswith("-before"):
            self.kill(rule)
            self.hang_up()
        elif fault.endswith("-after"):
            self.pass_on(body)
            self.kill(rule)
            self.hang_up()
        elif fault == "delay":
            time.sleep(rule.seconds)
            self.send(self.pass_on(body))
        elif fault == "unconditional":
            answer = self.pass_on(body)
            ignored = Answer(200, [("ETag", '"made-by-a-test"')], b"")
            self.send(ignored if answer.status == 412 else answer)
        elif fault == "hold":
            while rule in self.state.rules:
                time.sleep(0.05)
            answer = self.pass_on(body)
            self.state.late.append(answer.status)
            self.send(answer)
        else:
            self.damage(rule, self.pass_on(body))

    def kill(self, rule: Rule) -> None:
        if rule.pid:
            with suppress(ProcessLookupError):
                os.kill(rule.pid, signal.SIGKILL)

    def damage(self, rule: Rule, answer: Answer) -> None:
        place = int(len(answer.body) * rule.place)
        if rule.fault == "flip" and answer.body:
            flipped = bytearray(answer.body)
            flipped[min(place, len(flipped) - 1)] ^= 1
            self.send(answer._replace(body=bytes(flipped)))
            return
        self.send_head(answer)
        with suppress(OSError):
            self.wfile.write(answer.body[:place])
            self.wfile.flush()
            if rule.fault == "stall":
                time.sleep(rule.seconds)
        if rule.fault == "reset":
            # Closed with this it sends a reset at once, and no end of what it sent.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            os.close(self.connection.detach())
        self.hang_up()

    def refuse(self, status: int, code: str) -> None:
        body = b"" if self.command == "HEAD" else _ERROR.format(code=code).encode()
        self.send(Answer(status, [("Content-Type", "application/xml")], body))

    def send(self, answer: Answer) -> None:
        with suppress(OSError):  # the client may be gone: it was killed
            self.send_head(answer)
            if self.command != "HEAD":
                self.wfile.write(answer.body)
                self.wfile.flush()

    def send_head(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        length = str(len(answer.body))
        for name, value in answer.headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in _HOP:
                self.send_header(name, value)
        if answer.status not in {204, 304}:
            self.send_header("Content-Length", length)
        self.end_headers()

    def hang_up(self) -> None:
        self.close_connection = True


def main() -> None:
    """Serves until it is killed; says its URL first."""

    class Handler(_Handler):
        upstream = sys.argv[1]
        state = _State()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - to who started it
    server.serve_forever()


if __name__ == "__main__":
    main()
