"""Collects what waits and handles it together: one commit, or one call, for many callers."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Batcher(Generic[Q, A]):
    """Hands items that wait to `handle` together; a lone item goes at once, so nothing lingers under low load.

    `handle` gets at most `max_items` items of at most `max_bytes` together (one larger item goes alone) and
    returns an answer or an exception for each, in order; what it raises goes to all of them.
    """

    def __init__(
        self,
        handle: Callable[[list[Q]], Sequence[A | Exception]],
        *,
        name: str,
        in_flight: int = 2,
        max_items: int = 64,
        max_bytes: int = 8 << 20,
        size_of: Callable[[Q], int] = lambda _: 0,
    ) -> None:
        self._handle = handle
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._waiting: deque[tuple[Q, Future[A]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._workers = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(in_flight)
        ]
        for worker in self._workers:
            worker.start()

    def submit(self, item: Q) -> Future[A]:
        """Queues an item; the future gives its answer or raises its exception."""
        answer: Future[A] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._waiting.append((item, answer))
            self._changed.notify()
        return answer

    def close(self) -> None:
        """Handles what waits, then ends the workers."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()

    def _work(self) -> None:
        while waited := self._next():
            # A caller that gave up while its item waited must not end this worker with InvalidStateError.
            batch = [(item, future) for item, future in waited if future.set_running_or_notify_cancel()]
            if not batch:
                continue
            items = [item for item, _ in batch]
            try:
                answers = self._handle(items)
            except Exception as error:
                answers = [error] * len(items)
            for (_, future), answer in zip(batch, answers, strict=True):
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _next(self) -> list[tuple[Q, Future[A]]]:
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return []
                self._changed.wait()
            batch = [self._waiting.popleft()]
            size = self._size_of(batch[0][0])
            while self._waiting and len(batch) < self._max_items:
                size += self._size_of(self._waiting[0][0])
                if size > self._max_bytes:
                    break
                batch.append(self._waiting.popleft())
            return batch
