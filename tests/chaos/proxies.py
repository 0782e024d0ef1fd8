"""A reverse proxy before MinIO that gives bad answers to a seeded share of the requests; a thread of its own.

The Host header stays the client's, because its signature covers it.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random

import aiohttp
from aiohttp import web
from yarl import URL

from darkroom.stack.ports import LOOPBACK, choose_internal

CHUNK = 64 * 1024
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"})
ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
START_S = 30.0

Answer = Callable[["FaultyStore", web.Request], Awaitable[web.StreamResponse]]


class FaultyStore:
    """Passes requests on to a store, except those it answers itself; counts both."""

    def __init__(self, store_url: str, answer: Answer, share: float, chance: Random) -> None:
        self._store_url = store_url.rstrip("/")
        self._answer = answer
        self._share = share
        self._chance = chance
        self._session: aiohttp.ClientSession | None = None
        self.asked = 0
        self.given = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked += 1
        if self._chance.random() >= self._share:
            return await self.passed_on(request, None)
        return await self._answer(self, request)

    async def passed_on(self, request: web.Request, at_most: int | None) -> web.StreamResponse:
        """Answer with what the store says; with `at_most`, cut the connection after so many percent of the body."""
        assert self._session is not None
        body = request.content if request.can_read_body else None
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP]
        url = URL(self._store_url + request.raw_path, encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            own = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    own.headers.add(name, value)
            await own.prepare(request)
            left = None if at_most is None else int(answer.headers.get("Content-Length", 0)) * at_most // 100
            async for chunk in answer.content.iter_chunked(CHUNK):
                await own.write(chunk if left is None else chunk[:left])
                left = None if left is None else left - len(chunk[:left])
                if left == 0:
                    break
            if at_most is not None:
                _cut(request)
            return own

    async def session(self, _: web.Application) -> AsyncIterator[None]:
        """Hold the connections to the store while the proxy runs."""
        self._session = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=60))
        yield
        await self._session.close()


def refused(status: int, code: str) -> Answer:
    """Return the answer that is an error of S3."""

    async def answer(proxy: FaultyStore, request: web.Request) -> web.StreamResponse:
        await request.read()
        proxy.given += 1
        text = "" if request.method == "HEAD" else ERROR.format(code=code)
        return web.Response(status=status, text=text, content_type="application/xml")

    return answer


async def half_a_body(proxy: FaultyStore, request: web.Request) -> web.StreamResponse:
    """Give the headers of the whole body, and half of it; requests without a body in the answer are passed on."""
    if request.method != "GET" or "?" in request.raw_path:
        return await proxy.passed_on(request, None)
    proxy.given += 1
    return await proxy.passed_on(request, 50)


@contextmanager
def serving(proxy: FaultyStore) -> Iterator[str]:
    """Run the proxy, and give its host:port."""
    (port,) = choose_internal(1)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="faulty store", daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(_start(proxy, port), loop).result(START_S)
    try:
        yield f"{LOOPBACK}:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(START_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_S)
        loop.close()


async def _start(proxy: FaultyStore, port: int) -> web.AppRunner:
    application = web.Application(client_max_size=2**30)
    application.cleanup_ctx.append(proxy.session)
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    quiet = logging.getLogger("tests.chaos.proxies")
    quiet.setLevel(logging.CRITICAL)  # connections that are cut, by us and by others, are the purpose
    runner = web.AppRunner(application, shutdown_timeout=1, logger=quiet, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    return runner


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
