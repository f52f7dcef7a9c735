"""DATA read in blocks (RFC 5321 §4.1.1.4, §4.5.2): one end only, dots unstuffed once, no bare CR or LF.

A line reader costs 15 ms of CPU per 200 KB; here each block is searched a handful of times at memory speed.
"""

END = b"\r\n.\r\n"


IDLE_S = 300.0  # RFC 5321 §4.5.3.2.7
LETTER_S = 1800.0
LARGE_BYTES = 1 << 20
LARGE_GRACE_S = 60.0
SLOWEST_BYTES_PER_S = 16 << 10


class BareNewline(Exception):
    """A CR or LF that is not part of CRLF (RFC 5321 §2.3.8): two programs would see two different letters."""


class Budget:
    """Bytes of letters that the process holds at once."""

    def __init__(self, limit_bytes: int) -> None:
        self._free = limit_bytes

    def has(self, count: int) -> bool:
        """Whether so many bytes are free now; nothing is set aside."""
        return count <= self._free

    def take(self, count: int) -> bool:
        """Sets bytes aside, or says that there are not so many."""
        if count > self._free:
            return False
        self._free -= count
        return True

    def give_back(self, count: int) -> None:
        """Frees bytes taken before."""
        self._free += count


class Hold:
    """One letter's share of the budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.bytes = 0

    def grow_to(self, count: int) -> bool:
        """Holds at least `count` bytes from now on; False, and no more than before, if the budget is spent."""
        if count <= self.bytes:
            return True
        if not self._budget.take(count - self.bytes):
            return False
        self.bytes = count
        return True

    def release(self) -> None:
        """Gives everything back; a second time does nothing."""
        self._budget.give_back(self.bytes)
        self.bytes = 0


def patience_s(received: int, held: int, elapsed_s: float) -> float:
    """Seconds that the next block may take. Who holds much of the budget must send, or three could close the door."""
    if held < LARGE_BYTES:
        return max(1.0, min(IDLE_S, LETTER_S - elapsed_s))
    return max(1.0, LARGE_GRACE_S + received / SLOWEST_BYTES_PER_S - elapsed_s)


class DataReader:
    """Takes the blocks that follow 354 and keeps the letter's bytes.

    Works on the stream with a CRLF put before it, so that every line, the first too, starts after one.
    """

    def __init__(self) -> None:
        self.size = 0  # bytes of the letter so far, kept or not
        self._held = b"\r\n"  # seen, but perhaps the beginning of END
        self._before_first = 2
        # One growing buffer, not a list of blocks: those left the heap in pieces, at four times the budget.
        self._kept: bytearray | None = bytearray()

    def feed(self, block: bytes) -> bytes | None:
        """Takes a block. None: the letter goes on; else it has ended, and these bytes came after its end.

        Raises BareNewline as soon as one is certain; no sequence but END ends the letter.
        """
        stream = self._held + block
        end = stream.find(END)
        body = stream[: end + 2] if end >= 0 else stream[: len(stream) - _beginning_of_end(stream)]
        self._held = stream[len(body) :]
        ends = body.count(b"\r\n")
        if not ends == body.count(b"\n") == body.count(b"\r"):
            raise BareNewline
        body = body.replace(b"\r\n.", b"\r\n")
        if self._before_first and body:
            body, self._before_first = body[self._before_first :], 0
        self.size += len(body)
        if self._kept is not None:
            self._kept += body
        return None if end < 0 else stream[end + len(END) :]

    def forget(self) -> None:
        """Keeps nothing of this letter; its end is still looked for."""
        self._kept = None

    def content(self) -> bytes:
        """The letter as it was before transport; empties the reader."""
        content = bytes(self._kept or b"")
        self._kept = None
        return content


def _beginning_of_end(stream: bytes) -> int:
    """Length of the longest beginning of END that the stream ends with."""
    return next((length for length in range(len(END) - 1, 0, -1) if stream.endswith(END[:length])), 0)
