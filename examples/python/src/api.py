"""A JSON API over HTTP: one attempt a call, and the truth about what came of it."""

import http.client
import json
import select
import ssl
import threading
import time
import urllib.parse

from hubplugin.answers import Failed, Unknown
from provhub.plugin.v1 import connector_pb2 as pb

DEFAULT_LIMIT = 20.0  # seconds, for calls that have no deadline

_CODES = {
    400: pb.ERROR_CODE_INVALID_VALUE, 422: pb.ERROR_CODE_INVALID_VALUE, 401: pb.ERROR_CODE_AUTHENTICATION, 403: pb.ERROR_CODE_PERMISSION,
    404: pb.ERROR_CODE_NOT_FOUND, 409: pb.ERROR_CODE_ALREADY_EXISTS, 429: pb.ERROR_CODE_RATE_LIMITED, 423: pb.ERROR_CODE_BUSY,
}
_IN_DOUBT = {500, 502, 504}  # the API, or something before it, lost track of the request


class API:
    def __init__(self, base_url):
        self._url = urllib.parse.urlsplit(base_url.rstrip("/"))
        self._lock = threading.Lock()
        self._idle, self._closed = [], False

    def call(self, token, method, path, *, query=None, body=None, key="", deadline=None):
        """Makes one request and returns the JSON of its answer, None when there is none.

        Raises Failed when nothing took effect, Unknown when a write may have.
        deadline is a time.monotonic().
        """
        left = False  # whether the request may have reached the API
        connection = None
        reads = method == "GET"
        try:
            connection = self._take((deadline or time.monotonic() + DEFAULT_LIMIT) - time.monotonic())
            target = self._url.path + path + ("?" + urllib.parse.urlencode(query) if query else "")
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            if key:
                headers["Idempotency-Key"] = key
            payload = None
            if body is not None:
                payload, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
            left = True
            connection.request(method, target, payload, headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as e:
            if connection is not None:
                connection.close()
            failed = _transport(e)
            raise Unknown(failed) if left and not reads else failed from e
        self._put(connection, response)
        return _read(response, answer, reads)

    def close(self):
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for connection in idle:
            connection.close()

    def _take(self, limit):
        """Returns a connection that is open, a new one when none is left."""
        if limit <= 0:
            raise TimeoutError
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                break
            if not select.select([connection.sock], [], [], 0)[0]:
                connection.sock.settimeout(limit)
                return connection
            connection.close()  # the API hung up meanwhile
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname, self._url.port, timeout=limit)
        connection.connect()
        return connection

    def _put(self, connection, response):
        with self._lock:
            if not self._closed and not response.will_close:
                self._idle.append(connection)
                return
        connection.close()


def _transport(e):
    """What a call that got no answer says, without the URL, which can hold names of people."""
    if isinstance(e, ssl.SSLCertVerificationError):
        return Failed(pb.ERROR_CODE_CONFIGURATION, f"there is no trusted connection to the API: {e.verify_message}")
    if isinstance(e, TimeoutError):
        return Failed(pb.ERROR_CODE_TIMEOUT, "no answer within the time limit")
    return Failed(pb.ERROR_CODE_UNAVAILABLE, f"no connection to the API: {type(e).__name__}")


def _read(response, answer, reads):
    status = response.status
    if 200 <= status < 300:
        try:
            return json.loads(answer) if answer else None
        except ValueError:
            failed = Failed(pb.ERROR_CODE_CONFIGURATION, "the API answered with something that is not JSON; is the address right?",
                            native_code=f"HTTP {status}", detail=answer[:2048].decode(errors="replace"))
            raise failed if reads else Unknown(failed) from None
    default = pb.ERROR_CODE_UNAVAILABLE if status >= 500 else pb.ERROR_CODE_INVALID_VALUE if status >= 400 else pb.ERROR_CODE_CONFIGURATION
    wait = response.getheader("Retry-After", "")
    failed = Failed(_CODES.get(status, default), f"the API answered {status} {response.reason}", native_code=f"HTTP {status}",
                    detail=answer[:2048].decode(errors="replace"), retry_after=int(wait) if wait.isdigit() else 0)
    raise Unknown(failed) if status in _IN_DOUBT and not reads else failed
