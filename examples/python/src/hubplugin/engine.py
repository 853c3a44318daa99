"""Carries out the operations of one instance.

Operations with the same ordering key run one after the other, others in parallel
up to the connector's limit. Each is answered exactly once, in time, whatever the
connector does.
"""

import collections
import concurrent.futures
import queue
import threading
import time
import traceback

from provhub.plugin.v1 import connector_pb2 as pb

from . import wire
from .answers import Adopted, Failed, Unchanged, Unknown

DEFAULT_TIMEOUT = 30.0  # seconds, for an operation that names no limit
GRACE = 0.5             # for a call to come back after its time limit, before it is answered for
MAX_WAITING = 4096      # operations taken in and not started; beyond it nothing more is read


class Work:
    """One operation on its way."""

    def __init__(self, op, outbox):
        self.op, self.outbox = op, outbox
        self.deadline = None  # set when it starts
        self.answered = False


class Outbox:
    """The answers of one stream, in the order they come."""

    def __init__(self):
        self.results = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._open, self._closing = 0, False

    def expect(self):
        with self._lock:
            self._open += 1

    def put(self, result):
        self.results.put(result)
        with self._lock:
            self._open -= 1
            if self._closing and self._open == 0:
                self.results.put(None)  # the end

    def close(self):
        """No more operations come: the stream ends once all are answered."""
        with self._lock:
            self._closing = True
            if self._open == 0:
                self.results.put(None)


class Engine:
    def __init__(self, journal, limit):
        self.journal = journal
        self.limit = limit
        self.perform = None  # carries out one operation; set when the instance is configured
        self.last_success, self.last_error = 0.0, None
        self._changed = threading.Condition()
        self._ready = collections.deque()
        self._keys = {}      # ordering key → the works that wait for it, the running one first
        self._running = []
        self._waiting = 0
        self._unanswered = {}
        self._draining = self._stopped = False
        self._pool = concurrent.futures.ThreadPoolExecutor(limit)
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def in_flight(self):
        return len(self._unanswered)

    def submit(self, op, outbox):
        """Takes in one operation; blocks while too many wait."""
        work = Work(op, outbox)
        outbox.expect()
        with self._changed:
            while self._waiting >= MAX_WAITING and not self._stopped and not self._draining:
                self._changed.wait()
            self._unanswered[id(work)] = work
            if self._stopped or self._draining:
                self._answer(work, cancelled(op, "the plugin is draining; nothing was attempted"))
                return
            self._waiting += 1
            line = self._keys.setdefault(op.ordering_key or f"\0{id(work)}", collections.deque())
            line.append(work)
            if len(line) == 1:
                self._ready.append(work)
            self._start()

    def cancel(self, operation_id, outbox):
        """Gives an operation up; it is answered all the same."""
        with self._changed:
            for work in list(self._unanswered.values()):
                if work.op.operation_id != operation_id or work.outbox is not outbox:
                    continue
                if work.deadline is None:
                    self._answer(work, cancelled(work.op, "cancelled by the hub before it began"))
                else:  # what it does now cannot be called back
                    self._answer(work, unknown(work.op, pb.ERROR_CODE_UNAVAILABLE, "cancelled by the hub while under way"))

    def refuse(self):
        """Takes nothing new from now on."""
        with self._changed:
            self._draining = True
            self._changed.notify_all()

    def drain(self, grace):
        """Waits until all is answered; returns the ids of the rest."""
        end = time.monotonic() + grace
        with self._changed:
            while self._unanswered and time.monotonic() < end:
                self._changed.wait(end - time.monotonic())
            return [w.op.operation_id for w in self._unanswered.values()]

    def stop(self):
        """Ends the instance: what has not begun never will."""
        with self._changed:
            self._stopped = True
            for work in list(self._unanswered.values()):
                if work.deadline is None:
                    self._answer(work, cancelled(work.op, "the instance was released before it began"))
            self._changed.notify_all()
        self._pool.shutdown(wait=False)

    def _start(self):
        while self._ready and len(self._running) < self.limit:
            work = self._ready.popleft()
            self._waiting -= 1
            if work.answered:  # cancelled meanwhile
                self._next(work)
                continue
            limit = wire.seconds(work.op, "timeout", DEFAULT_TIMEOUT)
            work.deadline = time.monotonic() + limit
            self._running.append(work)
            self._pool.submit(self._run, work)
        self._changed.notify_all()

    def _next(self, work):
        key = work.op.ordering_key or f"\0{id(work)}"
        line = self._keys[key]
        line.popleft()
        if line:
            self._ready.append(line[0])
        else:
            del self._keys[key]

    def _run(self, work):
        began = time.monotonic()
        result = self._result(work)
        result.took.CopyFrom(wire.duration(time.monotonic() - began))
        with self._changed:
            self._running.remove(work)
            if not self._stopped:
                self._next(work)
            self._answer(work, result)
            self._start()

    def _result(self, work):
        op, result = work.op, pb.Result(operation_id=work.op.operation_id)
        try:
            obj = self.perform(op, work.deadline)
            result.outcome = pb.OUTCOME_APPLIED
            if obj is not None:
                result.object.CopyFrom(obj)
        except Unchanged:
            result.outcome = pb.OUTCOME_UNCHANGED
        except Adopted as a:
            result.outcome = pb.OUTCOME_ADOPTED
            result.object.CopyFrom(a.obj)
        except Failed as f:
            result.outcome = pb.OUTCOME_FAILED
            result.error.CopyFrom(wire.error(f, self.journal))
        except Unknown as u:
            result.outcome = pb.OUTCOME_UNKNOWN
            result.error.CopyFrom(wire.error(u.cause, self.journal))
        except Exception as e:  # one bad call must not end the process that serves the others
            self.journal.write("error", "the connector broke off", operation_id=op.operation_id, trace=traceback.format_exc())
            result.outcome = pb.OUTCOME_UNKNOWN
            result.error.CopyFrom(wire.error(wire.as_failed(e), self.journal))
        return result

    def _answer(self, work, result):
        if work.answered:
            return
        work.answered = True
        del self._unanswered[id(work)]
        if result.HasField("error"):
            self.last_error = result.error
        else:
            self.last_success = time.time()
        work.outbox.put(result)
        self._changed.notify_all()

    def _watch(self):
        """Answers for calls that do not come back. They keep their place: what they
        might still do must not meet the next operation for the same object."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                for work in self._running:
                    if now > work.deadline + GRACE:
                        self._answer(work, unknown(work.op, pb.ERROR_CODE_TIMEOUT, "no answer within the time limit"))
                self._changed.wait(0.1 if self._running else 1)


def cancelled(op, message):
    return pb.Result(operation_id=op.operation_id, outcome=pb.OUTCOME_CANCELLED,
                     error=pb.Error(code=pb.ERROR_CODE_UNAVAILABLE, message=message))


def unknown(op, code, message):
    return pb.Result(operation_id=op.operation_id, outcome=pb.OUTCOME_UNKNOWN, error=pb.Error(code=code, message=message))
