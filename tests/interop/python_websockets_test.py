"""The client of python3-websockets."""

import asyncio
import pathlib
import ssl
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from over_tls import OverTls  # noqa: E402

try:
    import websockets
except ModuleNotFoundError:
    sys.exit(f"{sys.executable} has no module websockets: install python3-websockets")

SIZES = (0, 1, 125, 126, 65535, 65536, 1 << 20)
LIMITS = ("--message-limit", "64M", "--fragment-limit", "1000000")


class PythonWebsockets(unittest.IsolatedAsyncioTestCase):
    ca = ()
    served = ()

    def setUp(self):
        self.server = hotline_server.Server(*LIMITS, *self.served, threads=2)
        self.addCleanup(self.finish)

    def finish(self):
        with self.server:
            self.assertEqual(self.server.stop(), (0, ""))

    def connect(self, url=None, **options):
        if self.ca:
            options["ssl"] = ssl.create_default_context(cafile=self.ca[0])
        return websockets.connect(
            url or self.server.url, max_size=None, open_timeout=hotline_server.PATIENCE,
            close_timeout=hotline_server.PATIENCE, **options)

    async def receive(self, connection):
        return await asyncio.wait_for(connection.recv(), hotline_server.PATIENCE)

    async def test_text_and_binary_of_all_sizes(self):
        async with self.connect() as connection:
            for size in SIZES:
                for message in ("*" * size, ("電話☎📞" * size)[:size], b"\xff" * size,
                                bytes(range(256)) * (size // 256)):
                    await connection.send(message)
                    self.assertEqual(await self.receive(connection), message)

    async def test_fragments(self):
        async with self.connect() as connection:
            for count, size in ((2, 10), (100, 1), (1000, 100), (20, 65536)):
                parts = [b"%d" % (i % 10) * size for i in range(count)]
                await connection.send(parts)
                self.assertEqual(await self.receive(connection), b"".join(parts))
                texts = [part.decode() for part in parts]
                await connection.send(texts)
                self.assertEqual(await self.receive(connection), "".join(texts))

    async def test_pings(self):
        async with self.connect(ping_interval=None) as connection:
            for payload in (b"", b"Hello", b"*" * 125):
                pong = await connection.ping(payload)
                await asyncio.wait_for(pong, hotline_server.PATIENCE)
            await connection.pong(b"unsolicited")
            await connection.send("Hello")
            self.assertEqual(await self.receive(connection), "Hello")

    async def test_no_subprotocol_and_no_extension(self):
        # It offers permessage-deflate by default, which the server may leave.
        async with self.connect(subprotocols=["chat", "superchat"]) as connection:
            self.assertIsNone(connection.subprotocol)
            self.assertEqual(connection.extensions, [])
            await connection.send("Hello")
            self.assertEqual(await self.receive(connection), "Hello")

    async def test_close_codes(self):
        for code in (1000, 1001, 1003, 1008, 1011, 3000, 4999):
            for reason in ("", "Good bye", "Auf Wiedersehn ☎"):
                with self.subTest(code=code, reason=reason):
                    connection = await self.connect()
                    await connection.send("Hello")
                    await self.receive(connection)
                    await connection.close(code, reason)
                    self.assertEqual((connection.close_code, connection.close_reason), (code, ""))
                    with self.assertRaises(websockets.ConnectionClosed) as closed:
                        await connection.recv()
                    self.assertEqual((closed.exception.sent.code, closed.exception.sent.reason),
                                     (code, reason))

    async def test_messages_beyond_the_limit_are_1009(self):
        with hotline_server.Server("--message-limit", "1k", *self.served) as small:
            async with self.connect(small.url) as connection:
                await connection.send("*" * 1025)
                with self.assertRaises(websockets.ConnectionClosed) as closed:
                    await self.receive(connection)
                self.assertEqual(closed.exception.rcvd.code, 1009)
                self.assertTrue(closed.exception.rcvd.reason)

    async def test_a_drain_is_1001_to_each(self):
        connections = [await self.connect() for _ in range(20)]
        self.server.signal()
        for connection in connections:
            with self.assertRaises(websockets.ConnectionClosed) as closed:
                await self.receive(connection)
            self.assertEqual(closed.exception.rcvd.code, 1001)
            self.assertTrue(closed.exception.rcvd_then_sent)

    async def test_twenty_at_once(self):
        async def talk(name):
            async with self.connect() as connection:
                for i in range(100):
                    message = f"{name} {i} " + "*" * (i * 37)
                    await connection.send(message)
                    self.assertEqual(await self.receive(connection), message)

        await asyncio.gather(*(talk(name) for name in range(20)))

    async def test_many_messages_under_way(self):
        async with self.connect(max_queue=None) as connection:
            messages = [bytes([i % 256]) * (i * 131 % 5000) for i in range(2000)]

            async def send():
                for message in messages:
                    await connection.send(message)

            sending = asyncio.create_task(send())
            for message in messages:
                self.assertEqual(await self.receive(connection), message)
            await sending

    async def test_a_foreign_origin_is_refused(self):
        with self.assertRaises(websockets.InvalidStatusCode) as refused:
            await self.connect(origin="http://example.com")
        self.assertEqual(refused.exception.status_code, 403)
        scheme = "https" if self.ca else "http"
        async with self.connect(origin=f"{scheme}://{self.server.authority}") as connection:
            await connection.send("Hello")
            self.assertEqual(await self.receive(connection), "Hello")


class PythonWebsocketsOverTls(OverTls, PythonWebsockets):
    pass


if __name__ == "__main__":
    hotline_server.main()
