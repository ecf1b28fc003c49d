"""A WebSocket client made of bytes: it sends what it is told to, and keeps no rule by itself."""

import select
import socket
import struct
import time

from hotline_server import PATIENCE

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10
MASK = b"\x37\xfa\x21\x3d"  # RFC 6455 5.7

SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3
SAMPLE_ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def masked(payload, key=MASK):
    size = len(payload)
    pad = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


def header(opcode, size, fin=True, rsv=0, mask=MASK, form=None):
    """A frame's header. `form`: how many bits say the length, by default the fewest; `mask` None:
    unmasked."""
    first = (FIN if fin else 0) | rsv | opcode
    flag = 0x80 if mask is not None else 0
    if form is None:
        form = 7 if size < 126 else 16 if size < 65536 else 64
    if form == 7:
        length = bytes([flag | size])
    elif form == 16:
        length = bytes([flag | 126]) + struct.pack("!H", size)
    else:
        length = bytes([flag | 127]) + struct.pack("!Q", size)
    return bytes([first]) + length + (mask or b"")


def frame(opcode, payload=b"", **options):
    """A client's frame; options as for header()."""
    mask = options.get("mask", MASK)
    body = masked(payload, mask) if mask is not None else payload
    return header(opcode, len(payload), **options) + body


def echoed(opcode, payload=b""):
    """A server's frame: what comes back."""
    return frame(opcode, payload, mask=None)


def close_payload(code=None, reason=b""):
    return b"" if code is None else struct.pack("!H", code) + reason


def close(code=None, reason=b""):
    return frame(CLOSE, close_payload(code, reason))


def closed(code=None, reason=b""):
    return echoed(CLOSE, close_payload(code, reason))


def take_frame(data):
    """A server's frame off the front: (opcode, payload, rest), or None where it is not whole."""
    if len(data) < 2:
        return None
    size, at = data[1] & 0x7f, 2
    if size >= 126:
        at += 2 if size == 126 else 8
        if len(data) < at:
            return None
        size = int.from_bytes(data[2:at], "big")
    if len(data) < at + size:
        return None
    return data[0] & 0x0f, data[at:at + size], data[at + size:]


def upgrade_request(host="127.0.0.1", path="/echo", **changes):
    """A good request to upgrade. A change replaces a field, removes it (None), or gives several of
    its name (a list); underscores stand for hyphens."""
    fields = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Key": SAMPLE_KEY, "Sec-WebSocket-Version": "13"}
    method = changes.pop("method", "GET")
    version = changes.pop("version", "HTTP/1.1")
    known = {name.lower(): name for name in fields}
    for name, value in changes.items():
        name = name.replace("_", "-")
        fields[known.get(name.lower(), name)] = value
    lines = [f"{method} {path} {version}"]
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                lines.append(f"{name}: {one}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Peer:
    """One TCP connection. What it waits for comes within PATIENCE, or the test fails."""

    def __init__(self, server, receive_buffer=None, source=None):
        """`source`: the address it comes from, of 127.0.0.0/8."""
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        try:
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(("127.0.0.1", server.port))
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def upgrade(self, **changes):
        """The opening handshake; for chaining."""
        self.send(upgrade_request(**changes))
        head = self.until(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise AssertionError(f"not upgraded: {head!r}")
        return self

    def until(self, mark):
        """What comes up to and with `mark`."""
        while mark not in self.received:
            self._more()
        end = self.received.index(mark) + len(mark)
        return self._take(end)

    def exactly(self, size):
        while len(self.received) < size:
            self._more()
        return self._take(size)

    def frame(self):
        """The next frame: (opcode, payload)."""
        while (taken := take_frame(self.received)) is None:
            self._more()
        opcode, payload, self.received = taken
        return opcode, payload

    def close_code(self):
        """The code of the next frame, which is a close; None: it has none."""
        opcode, payload = self.frame()
        if opcode != CLOSE:
            raise AssertionError(f"not a close frame: opcode {opcode}, {payload[:40]!r}")
        return int.from_bytes(payload[:2], "big") if payload else None

    def rest(self):
        """All that comes until the server ends the stream; a reset is a failure."""
        try:
            while data := self.socket.recv(1 << 20):
                self.received += data
        except ConnectionResetError:
            raise AssertionError(f"reset, after {self.received[-200:]!r}") from None
        except TimeoutError:
            raise AssertionError(f"still open, after {self.received[-200:]!r}") from None
        return self._take(len(self.received))

    def exchange(self, pieces):
        """Sends the pieces one by one while it receives, until the server ends the stream: what
        came."""
        came = []
        self.socket.setblocking(False)
        poll = select.poll()
        pieces = [memoryview(piece) for piece in reversed(pieces)]
        while True:
            poll.register(self.socket, select.POLLIN | (select.POLLOUT if pieces else 0))
            events = dict(poll.poll(PATIENCE * 1000)).get(self.socket.fileno())
            if events is None:
                raise AssertionError(f"nothing more, after {b''.join(came)[-200:]!r}")
            if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                try:
                    data = self.socket.recv(1 << 20)
                except ConnectionResetError:
                    raise AssertionError(f"reset, after {b''.join(came)[-200:]!r}") from None
                if not data:
                    return b"".join(came)
                came.append(data)
            elif pieces:
                piece = pieces.pop()
                sent = self.socket.send(piece)
                if sent < len(piece):
                    pieces.append(piece[sent:])

    def send_what_fits(self, data, patience=0.2):
        """Sends until the server takes no more for a while: how much it took."""
        self.socket.settimeout(patience)
        sent = 0
        try:
            while sent < len(data):
                sent += self.socket.send(memoryview(data)[sent:])
        except TimeoutError:
            pass
        self.socket.settimeout(PATIENCE)
        return sent

    def reset(self):
        """Ends the connection by an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def hang_up(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _more(self):
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError:
            raise AssertionError(f"nothing more, after {self.received[-200:]!r}") from None
        if not data:
            raise AssertionError(f"the server hung up, after {self.received[-200:]!r}")
        self.received += data

    def _take(self, size):
        taken, self.received = self.received[:size], self.received[size:]
        return taken


def eventually(condition, patience=PATIENCE):
    """Waits until the condition holds: whether it does. For what another process does in its own
    time."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def descriptors_at_rest(server):
    """How many the server has open while it has no connection; it must have none now."""
    with Peer(server) as peer:
        peer.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        peer.until(b"\r\n\r\nok\n")  # it is up: what it opens for itself is open
        return server.descriptors() - 1
