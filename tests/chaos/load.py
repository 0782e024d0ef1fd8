"""The mixed load of a chaos run: stores sources and publishes records at a steady rate, through outages of both ends.

It talks to the broker and to MinIO themselves, not through the proxies, and writes everything into the journal.
"""

import io
import logging
import threading
import time

import urllib3
from minio.error import MinioException

from darkroom.storage import connect
from darkroom.target import Target
from tests.chaos.journal import Acknowledged, Journal, Put, Sent, digest
from tests.chaos.mix import Mix
from tests.chaos.sending import Sending
from tests.chaos.steps import Message, Step, Upload

RETRY_S = 0.5
LATE_SOURCE_S = 1.5
CATCH_UP_S = 1.0

log = logging.getLogger(__name__)


class Load:
    """Publishes in a thread of its own until stopped, or until `events` records are published."""

    def __init__(
        self,
        target: Target,
        journal: Journal,
        seed: int,
        rate_per_s: float,
        users: int = 300,
        hot_users: int = 3,
        events: int | None = None,
    ) -> None:
        self._bucket = target.buckets.images
        self._journal = journal
        self._mix = Mix(seed, self._bucket, users, hot_users)
        self._rate_per_s = rate_per_s
        self._events = events
        self._store = connect(target)
        self._sending = Sending(target, lambda message: journal.write(Acknowledged(digest(message.value))))
        self._late: list[tuple[float, Upload]] = []
        self._uncertain: set[str] = set()
        self._running = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._error: BaseException | None = None
        self.published = 0

    def start(self) -> None:
        """Begin."""
        self._running.set()
        self._thread.start()

    def pause(self) -> None:
        """Publish nothing more until resumed; the step in hand is finished."""
        self._running.clear()

    def resume(self) -> None:
        """Go on."""
        self._running.set()

    def stop(self) -> None:
        """End, and wait until everything is acknowledged.

        Raises:
            RuntimeError: the load has an error of its own; that is no outage.
        """
        self._stopping.set()
        self._running.set()
        self.wait()

    def wait(self) -> None:
        """Wait until the last record is acknowledged; for a load with a number of events."""
        self._thread.join()
        if self._error is not None:
            message = f"the load failed after {self.published} records"
            raise RuntimeError(message) from self._error

    def _run(self) -> None:
        try:
            self._publish()
            self._store_late(everything=True)
            self._sending.close()
        except BaseException as error:
            log.exception("the load failed")
            self._error = error

    def _publish(self) -> None:
        due = time.monotonic()
        while not self._stopping.is_set() and self.published != self._events:
            self._running.wait()
            time.sleep(max(0.0, due - time.monotonic()))
            self._take(self._mix.next())
            due = max(due + 1 / self._rate_per_s, time.monotonic() - CATCH_UP_S)
            self._sending.settle(0)
            self._store_late()

    def _take(self, step: Step) -> None:
        if all(self._put(upload) for upload in step.before):
            self._send(step.message)
        self._late += [(time.monotonic() + LATE_SOURCE_S, upload) for upload in step.after]

    def _send(self, message: Message) -> None:
        self._journal.write(Sent(digest(message.value), message.expects))
        self._sending.send(message)
        self.published += 1

    def _store_late(self, *, everything: bool = False) -> None:
        now = time.monotonic()
        due = [upload for at, upload in self._late if everything or at <= now]
        self._late = [(at, upload) for at, upload in self._late if not everything and at > now]
        for upload in due:
            self._put(upload)

    def _put(self, upload: Upload) -> bool:
        """Store an object, however long that takes; not done when the load is stopped first."""
        if upload.replaces and upload.key in self._uncertain:
            return True  # a request that was given up might still arrive, and undo the replacement
        while not self._put_once(upload):
            self._uncertain.add(upload.key)
            if self._stopping.wait(RETRY_S):
                return False
        return True

    def _put_once(self, upload: Upload) -> bool:
        size = len(upload.data)
        try:
            result = self._store.put_object(upload.bucket, upload.key, io.BytesIO(upload.data), size)
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            log.info("a source is stored again: %s", error)
            return False
        etag = (result.etag or "").strip('"')
        self._journal.write(Put(upload.bucket, upload.key, etag, digest(upload.data), upload.content))
        return True
