import gzip
import io
from collections.abc import Mapping
from typing import Any

import minio.error
import pytest
import urllib3
from minio import Minio
from minio.error import MinioException

from udfs.errors import SourceError, StoreUnavailableError
from udfs.s3_store import SOURCE_ERRORS, S3Store

PUBLIC_EXCEPTIONS = {
    "MinioException": Exception,
    "InvalidResponseError": MinioException,
    "ServerError": MinioException,
    "S3Error": MinioException,
    "MinioAdminException": Exception,  # of the administration client, which is not used
}

CODES_OF_THE_EVENT = {
    "AccessDenied": "SOURCE_FORBIDDEN",
    "InvalidObjectState": "SOURCE_FORBIDDEN",
    "InvalidBucketName": "SOURCE_BUCKET_MISSING",
    "KeyTooLongError": "SOURCE_MISSING",
    "MethodNotAllowed": "SOURCE_MISSING",
    "NoSuchBucket": "SOURCE_BUCKET_MISSING",
    "NoSuchKey": "SOURCE_MISSING",
    "PreconditionFailed": "SOURCE_CHANGED",
    "XMinioInvalidObjectName": "SOURCE_MISSING",
}

CODES_OF_THE_STORE = [
    "ExpiredToken",
    "InternalError",
    "InvalidAccessKeyId",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "SlowDown",
    "XMinioServerNotInitialized",
    "SomethingNew",
]

NETWORK_ERRORS = {
    "refused": urllib3.exceptions.NewConnectionError(urllib3.HTTPConnectionPool("s3"), "refused"),
    "connect timeout": urllib3.exceptions.ConnectTimeoutError("no answer"),
    "read timeout": urllib3.exceptions.ReadTimeoutError(urllib3.HTTPConnectionPool("s3"), "/", "no answer"),
    "protocol": urllib3.exceptions.ProtocolError("reset"),
    "retries": urllib3.exceptions.MaxRetryError(urllib3.HTTPConnectionPool("s3"), "/", None),
    "tls": urllib3.exceptions.SSLError("no certificate"),
    "name": urllib3.exceptions.NameResolutionError("s3", urllib3.connection.HTTPConnection("s3"), OSError("no name")),
    "os": ConnectionResetError("reset"),
}


class FakeHttp(urllib3.PoolManager):
    """A connection pool that answers every request with the same response or error, and keeps the requests."""

    def __init__(self, status: int = 200, body: bytes = b"", error: Exception | None = None, **headers: str) -> None:
        super().__init__()
        self.requests: list[tuple[str, Mapping[str, Any]]] = []
        self._status, self._body, self._error, self._headers = status, body, error, headers

    def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> urllib3.HTTPResponse:
        self.requests.append((method, dict(kw["headers"])))
        if self._error:
            raise self._error
        headers = {"Content-Length": str(len(self._body)), "Content-Type": "application/xml", **self._headers}
        return urllib3.HTTPResponse(io.BytesIO(self._body), headers, self._status, preload_content=False)


def a_store(http: FakeHttp) -> S3Store:
    client = Minio("s3:9000", "access", "secret", secure=False, region="us-east-1", http_client=http)
    return S3Store(client, "http://s3:9000")


def refusing(code: str) -> S3Store:
    body = f"<Error><Code>{code}</Code><Message>in words</Message><RequestId>1</RequestId></Error>"
    return a_store(FakeHttp(400, body.encode()))


def requests_of(store: S3Store) -> dict[str, Any]:
    return {
        "GET": lambda: store.open_source("images", "cat.jpg", None),
        "PUT": lambda: store.put("images", "cat.jpg", b"data", {"Content-Type": "image/jpeg"}),
        "LIST": lambda: store.list_keys("images", "u/"),
        "DELETE": lambda: store.remove("images", ["cat.jpg"]),
    }


def test_the_client_raises_nothing_that_is_not_known_here() -> None:
    found = {
        name: value.__base__
        for name, value in vars(minio.error).items()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == "minio.error"
    }
    assert found == PUBLIC_EXCEPTIONS


def test_no_code_but_these_blames_an_event() -> None:
    assert {code: error.reason for code, error in SOURCE_ERRORS.items()} == CODES_OF_THE_EVENT


@pytest.mark.parametrize("code", CODES_OF_THE_EVENT)
def test_a_code_that_blames_the_event_says_so_for_a_source(code: str) -> None:
    with pytest.raises(SourceError, match=r"source images/cat\.jpg: in words") as error:
        requests_of(refusing(code))["GET"]()
    assert error.value.reason == CODES_OF_THE_EVENT[code]


@pytest.mark.parametrize("code", CODES_OF_THE_STORE)
@pytest.mark.parametrize("request_name", ["GET", "PUT", "LIST", "DELETE"])
def test_every_other_code_blames_the_store(code: str, request_name: str) -> None:
    with pytest.raises(StoreUnavailableError, match=f"{request_name} images at http://s3:9000: {code}"):
        requests_of(refusing(code))[request_name]()


@pytest.mark.parametrize("code", SOURCE_ERRORS)
@pytest.mark.parametrize("request_name", ["PUT", "LIST", "DELETE"])
def test_no_event_is_blamed_for_the_bucket_of_the_derivatives(code: str, request_name: str) -> None:
    with pytest.raises(StoreUnavailableError):
        requests_of(refusing(code))[request_name]()


@pytest.mark.parametrize("error", NETWORK_ERRORS.values(), ids=NETWORK_ERRORS)
@pytest.mark.parametrize("request_name", ["GET", "PUT", "LIST", "DELETE"])
def test_a_network_that_does_not_answer_blames_the_store(error: Exception, request_name: str) -> None:
    with pytest.raises(StoreUnavailableError, match=f"{request_name} images at http://s3:9000: "):
        requests_of(a_store(FakeHttp(error=error)))[request_name]()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateway_that_answers_in_html_blames_the_store(status: int) -> None:
    body = b"<html>Bad Gateway</html>"
    http = FakeHttp(status, body, **{"Content-Type": "text/html"})
    with pytest.raises(StoreUnavailableError):
        a_store(http).open_source("images", "cat.jpg", None)


def test_a_source_stored_with_a_content_encoding_is_read_as_it_is_stored() -> None:
    packed = gzip.compress(b"x" * 1000)
    http = FakeHttp(200, packed, **{"Content-Encoding": "gzip", "Content-Length": str(len(packed))})
    assert a_store(http).open_source("images", "cat.jpg", None).read() == packed


@pytest.mark.parametrize("announced", [3, 5])
def test_fewer_or_more_bytes_than_announced_blame_the_store(announced: int) -> None:
    opened = a_store(FakeHttp(200, b"data", **{"Content-Length": str(announced)})).open_source(
        "images", "cat.jpg", None
    )
    assert opened.size == announced
    with pytest.raises(StoreUnavailableError):
        opened.read()


def test_the_entity_tag_is_asked_for_only_when_the_event_names_one() -> None:
    http = FakeHttp(200, b"data")
    a_store(http).open_source("images", "cat.jpg", None).close()
    a_store(http).open_source("images", "cat.jpg", "abc").close()
    (_, without), (_, with_tag) = http.requests
    assert "If-Match" not in without
    assert with_tag["If-Match"] == '"abc"'


def test_the_store_is_told_the_checksum_of_what_it_stores() -> None:
    http = FakeHttp(200, ETag='"abc"')
    a_store(http).put("images", "cat.jpg", b"data", {"Content-Type": "image/jpeg", "Cache-Control": "no-cache"})
    ((method, headers),) = http.requests
    assert (method, headers["Content-Type"], headers["Cache-Control"]) == ("PUT", "image/jpeg", "no-cache")
    assert headers["x-amz-checksum-sha256"] == "Om6weQ85rIfJTzhWst0sXREOaBFgImGpqSPTuyOtyLc="


@pytest.mark.parametrize("size", [0, 6_000_000])
def test_an_object_appears_by_one_request_whatever_its_size(size: int) -> None:
    http = FakeHttp(200, ETag='"abc"')
    a_store(http).put("images", "cat.jpg", b"x" * size, {"Content-Type": "image/jpeg"})
    assert [method for method, _ in http.requests] == ["PUT"]
