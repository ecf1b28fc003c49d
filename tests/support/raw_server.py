"""A WebSocket server made of bytes: it says what its script tells it to, and keeps no rule by
itself."""

import base64
import hashlib
import socket
import struct
import threading

from hotline_server import PATIENCE
from raw_peer import close_payload, echoed, masked

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3


class Caller:
    """The server's end of one connection."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(PATIENCE)
        self.received = b""
        self.head = ""

    def send(self, data):
        self.socket.sendall(data)

    def read_request(self):
        """The head of the request."""
        while b"\r\n\r\n" not in self.received:
            self._more()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        return self.head

    def field(self, name):
        """A header of the request; None: there is none."""
        for line in self.head.split("\r\n")[1:]:
            known, _, value = line.partition(":")
            if known.lower() == name.lower():
                return value.strip()
        return None

    def upgrade(self, **changes):
        """The opening handshake, for chaining; a change replaces a header of the answer, or removes
        it (None)."""
        if not self.head:
            self.read_request()
        key = self.field("Sec-WebSocket-Key").encode()
        fields = {"Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Accept": base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()}
        fields.update({name.replace("_", "-"): value for name, value in changes.items()})
        lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
        self.send("\r\n".join(["HTTP/1.1 101 Switching Protocols", *lines, "", ""]).encode())
        return self

    def frame(self):
        """The client's next frame: (opcode, payload)."""
        first, second = self._exactly(2)
        size = second & 0x7f
        if size == 126:
            size = struct.unpack("!H", self._exactly(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._exactly(8))[0]
        if not second & 0x80:
            raise AssertionError("a client's frame without a mask")
        key = self._exactly(4)
        return first & 0x0f, masked(self._exactly(size), key)

    def messages(self):
        """The texts and binaries until the client's close, whose code is in `code` then; pings are
        answered."""
        while True:
            opcode, payload = self.frame()
            if opcode == 9:
                self.send(echoed(10, payload))
            elif opcode == 8:
                self.code = struct.unpack("!H", payload[:2])[0] if payload else None
                self.send(echoed(8, payload))
                return
            elif opcode in (1, 2):
                yield opcode, payload

    def close(self, code=1000, reason=b""):
        """Says goodbye, and hears it."""
        self.send(echoed(8, close_payload(code, reason)))
        while self.frame()[0] != 8:
            pass

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise AssertionError("the client hung up")
        self.received += data

    def _exactly(self, size):
        while len(self.received) < size:
            self._more()
        taken, self.received = self.received[:size], self.received[size:]
        return taken


class RawServer:
    """Has `talk(caller)` called for each connection, one after another, and keeps what it raises for
    the end of its `with`."""

    def __init__(self, talk):
        self.talk = talk
        self.failure = None
        self.callers = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.callers += 1
            with connection:
                try:
                    self.talk(Caller(connection))
                except Exception as failure:  # pylint: disable=broad-except
                    self.failure = self.failure or failure

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE)
        if kind is None and self.failure:
            raise self.failure
