"""One row of the conformance table: bytes in, bytes out, and how it ends."""

import dataclasses
import random

from raw_peer import CLOSE, TEXT, close, closed, echoed, frame, take_frame


@dataclasses.dataclass
class Row:
    """The server gets `sent` and answers with exactly `back`. Then:
    - fails is None: the connection lives. It is sent a text (not a ping: behind a backlog, only the
      newest pong is sent, and none when a close has come) and a close, and answers both.
    - fails is a close code: the server says it in a last frame, and ends the stream, without
      anything more being sent.
    - ends: `back` is all, its end included.
    """
    title: str
    sent: bytes
    back: bytes = b""
    fails: int = None
    ends: bool = False

    def input(self):
        if self.fails is not None or self.ends:
            return self.sent
        return self.sent + frame(TEXT, b"alive?") + close(1000)

    def complaint(self, came):
        """What is wrong with what came; None: nothing."""
        if self.fails is None:
            wanted = self.back
            if not self.ends:
                wanted += echoed(TEXT, b"alive?") + closed(1000)
            return None if came == wanted else f"got {shown(came)}, wanted {shown(wanted)}"
        if not came.startswith(self.back):
            return f"got {shown(came)}, wanted {shown(self.back)} first"
        last = take_frame(came[len(self.back):])
        if last is None or last[0] != CLOSE or came[len(self.back)] != 0x88:
            return f"got {shown(came)}, wanted a close frame at the end"
        _, payload, behind = last
        code = int.from_bytes(payload[:2], "big")
        if code != self.fails:
            return f"closed with {code} {payload[2:]!r}, wanted {self.fails}"
        payload[2:].decode("utf-8")
        return f"bytes behind the close frame: {shown(behind)}" if behind else None


def shown(data):
    return f"{len(data)} bytes {data[:60].hex(' ')}" + (" ..." if len(data) > 60 else "")


def whole(data):
    return [data]


def byte_by_byte(data):
    """Each byte alone; of what is long, the ends so, and the middle in portions."""
    ends = 1000
    if len(data) <= 2 * ends:
        return [data[i:i + 1] for i in range(len(data))]
    middle = data[ends:-ends]
    return (byte_by_byte(data[:ends]) + [middle[i:i + 1300] for i in range(0, len(middle), 1300)]
            + byte_by_byte(data[-ends:]))


def at_random(data, seed):
    """Cut at up to eight places, the same ones for the same seed."""
    source = random.Random(seed)
    places = sorted(source.randrange(len(data) + 1) for _ in range(source.randrange(1, 9)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)]) if a != b]
