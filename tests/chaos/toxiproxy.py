"""Toxiproxy's HTTP API: toxics on a proxy, and where a proxy leads; and a look through a proxy from outside."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import urllib3

from darkroom.stack.record import StackRecord

Direction = Literal["upstream", "downstream"]
ANSWER_S = 3.0
API_S = 20.0
PADDING = 4_000  # bytes of a question, so that a narrow way to the server is felt
CLIENT = b"chaos".ljust(PADDING, b".")
BODY = b"\x00\x12\x00\x00\x00\x00\x00\x01" + len(CLIENT).to_bytes(2, "big") + CLIENT
API_VERSIONS = len(BODY).to_bytes(4, "big") + BODY
BUCKETS = b"GET / HTTP/1.1\r\nHost: chaos\r\nX-Padding: " + CLIENT + b"\r\n\r\n"
QUESTIONS = {"kafka": API_VERSIONS, "s3": BUCKETS}  # neither needs credentials; the second is refused in some words


@dataclass(frozen=True, slots=True)
class Toxic:
    """One of Toxiproxy's toxics with its attributes, in its own units: ms, kB/s, bytes."""

    type: str
    attributes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back through a proxy: how it ended, how many bytes came, and after how many seconds."""

    end: str  # whole, closed, reset or silent
    bytes: int
    first_s: float
    last_s: float


class Toxiproxy:
    """The API of a stack's Toxiproxy."""

    def __init__(self, record: StackRecord) -> None:
        assert record.toxiproxy_url is not None
        self._url = record.toxiproxy_url.rstrip("/")
        self._listen = record.proxies

    @contextmanager
    def toxic(self, proxy: str, toxic: Toxic, direction: Direction) -> Iterator[None]:
        """Put a toxic on a proxy, on all of its connections, for a while."""
        name = f"{toxic.type}-{direction}"
        wanted = {"name": name, "type": toxic.type, "stream": direction, "attributes": toxic.attributes}
        self._call("POST", f"/proxies/{proxy}/toxics", wanted)
        try:
            yield
        finally:
            self._call("DELETE", f"/proxies/{proxy}/toxics/{name}")

    @contextmanager
    def led_to(self, proxy: str, upstream: str) -> Iterator[None]:
        """Let a proxy lead elsewhere for a while; its connections end at both changes."""
        before = self._call("GET", f"/proxies/{proxy}")["upstream"]
        self._call("POST", f"/proxies/{proxy}", {"upstream": upstream})
        try:
            yield
        finally:
            self._call("POST", f"/proxies/{proxy}", {"upstream": before})

    def ask(self, proxy: str) -> Answer:
        """Ask through a proxy what needs no credentials, and tell how the answer came."""
        return self._exchange(proxy, QUESTIONS[proxy], whole=_is_whole[proxy])

    def close(self, proxy: str) -> Answer:
        """Connect through a proxy, say that nothing will be asked, and tell when the other side has closed too."""
        return self._exchange(proxy, b"", whole=lambda _: False)

    def _exchange(self, proxy: str, question: bytes, whole: Callable[[bytes], bool]) -> Answer:
        host, _, port = self._listen[proxy].rpartition(":")
        begun = time.monotonic()
        received, first, end = b"", 0.0, "closed"
        try:
            with socket.create_connection((host, int(port)), ANSWER_S) as connection:
                connection.sendall(question)
                if not question:
                    connection.shutdown(socket.SHUT_WR)
                while not whole(received) and (data := connection.recv(65536)):
                    first = first or time.monotonic() - begun
                    received += data
        except ConnectionError:
            end = "reset"
        except TimeoutError:
            end = "silent"
        return Answer("whole" if whole(received) else end, len(received), first, time.monotonic() - begun)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        answer = urllib3.request(method, self._url + path, json=body, timeout=API_S, retries=False)
        assert answer.status < 300, (method, path, answer.status, answer.data)
        return answer.json() if answer.data else None


def _whole_frame(data: bytes) -> bool:
    return len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:4], "big")


def _whole_document(data: bytes) -> bool:
    return data.endswith(b"</Error>")


_is_whole: dict[str, Callable[[bytes], bool]] = {"kafka": _whole_frame, "s3": _whole_document}
