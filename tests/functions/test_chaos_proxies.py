"""The proxy that answers in MinIO's place: what it passes on is untouched, what it answers itself is as said."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import pytest

from tests.chaos.proxies import Answer, FaultyStore, half_a_body, refused, serving

BODY = bytes(range(256)) * 1000
STRANGE = "/images/a%2Fb/%E6%97%a5%20%25?versions&x-id=1"


class Upstream(BaseHTTPRequestHandler):
    """Tells what it was asked, and gives a body."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(BODY)

    def do_PUT(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"]))[::-1])

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("X-Asked", f"{self.command} {self.path} {self.headers['Host']}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def proxy(upstream: str, answer: Answer, share: float = 1.0) -> FaultyStore:
    return FaultyStore(upstream, answer, share, Random(1))


def ask(address: str, method: str, path: str, body: bytes | None = None) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request(method, path, body, {"Host": "signed.example:9000"})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_what_is_passed_on_keeps_path_host_and_body(upstream: str) -> None:
    store = proxy(upstream, refused(503, "SlowDown"), share=0.0)
    with serving(store) as address:
        answer, body = ask(address, "PUT", STRANGE, BODY)
        assert answer.headers["X-Asked"] == f"PUT {STRANGE} signed.example:9000"
        assert body == BODY[::-1]
        assert ask(address, "GET", "/a")[1] == BODY
    assert (store.asked, store.given) == (2, 0)


def test_a_refusal_is_an_error_of_s3(upstream: str) -> None:
    store = proxy(upstream, refused(503, "SlowDown"))
    with serving(store) as address:
        answer, body = ask(address, "PUT", "/a", BODY)
    assert answer.status == 503
    assert b"<Code>SlowDown</Code>" in body
    assert (store.asked, store.given) == (1, 1)


def test_half_a_body_comes_with_the_length_of_the_whole(upstream: str) -> None:
    store = proxy(upstream, half_a_body)
    with serving(store) as address, pytest.raises(http.client.IncompleteRead) as cut:
        ask(address, "GET", "/a")
    assert cut.value.partial == BODY[: len(BODY) // 2]
    assert cut.value.expected == len(BODY) // 2
    assert store.given == 1


def test_half_a_body_passes_on_what_has_no_body_to_halve(upstream: str) -> None:
    store = proxy(upstream, half_a_body)
    with serving(store) as address:
        assert ask(address, "GET", "/images?list-type=2")[1] == BODY
        assert ask(address, "PUT", "/a", b"abc")[1] == b"cba"
    assert store.given == 0


def test_a_share_is_seeded(upstream: str) -> None:
    def answers() -> list[int]:
        with serving(proxy(upstream, refused(500, "InternalError"), share=0.5)) as address:
            return [ask(address, "GET", "/a")[0].status for _ in range(20)]

    first = answers()
    assert first == answers()
    assert 5 < first.count(500) < 15
