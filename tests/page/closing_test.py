"""How a connection ends, as the page tells it, and how it comes back; other people's servers."""

import asyncio
import threading

import websockets

from browser import DROP, PageTest, hotline_server


class Closing(PageTest):
    def test_this_page_chooses_the_code_and_the_reason(self):
        page = self.browser.open(self.start()).connect()
        for code, reason, name in ((4001, "genug, ☎", "Private use"), (3008, "", "Timeout"),
                                   (1000, "done", "Normal closure")):
            page.fill("code", str(code))
            page.fill("reason", reason)
            page.click("close")
            page.until_state("idle")
            ending = page.ending()
            self.assertEqual((ending["code"], ending["name"], ending["reason"], ending["by"]),
                             (str(code), name, reason or "none", "this page"))
            self.assertIn("yes", ending["clean"])
            self.assertIn(str(code), page.text("state"))
            page.connect()
        for code, reason, complaint in (("1001", "", "1000, or 3000"), ("5000", "", "1000, or"),
                                        ("1000", "é" * 62, "124 bytes")):
            page.fill("code", code)
            page.fill("reason", reason)
            page.click("close")
            self.assertIn(complaint, page.text("close-error"))
        self.assertEqual(page.state(), "open")

    def test_what_the_server_does_not_take_ends_with_1009(self):
        page = self.browser.open(self.start("--message-limit", "1k")).connect()
        page.say("a" * 1024)
        page.until_messages(2)
        page.run(DROP, page.element("drop"), "big.bin", 1025)
        ending = page.ending()
        self.assertEqual((ending["code"], ending["name"], ending["by"]),
                         ("1009", "Message too big", "the server"))
        self.assertEqual(page.state(), "idle")

    def test_a_drain_is_told_and_the_page_comes_back_by_itself(self):
        first = self.start()
        page = self.browser.open(first).connect()
        self.assertEqual(first.stop()[0], 0)
        ending = page.ending()
        self.assertEqual((ending["code"], ending["name"], ending["by"]),
                         ("1001", "Going away", "the server"))
        page.until_state("waiting", "connecting")
        page.until(lambda: "1001" in page.text("state") and "attempt 2" in page.text("state"),
                   "a second attempt")
        self.assertEqual(page.ending(), ending, "the attempt's own end does not count")
        self.start(listen=f"127.0.0.1:{first.port}")
        page.until_state("open")
        page.say("back again")
        self.assertTrue(page.until_messages(2)[1]["took"])

    def test_it_stays_away_where_that_is_wanted(self):
        first = self.start()
        page = self.browser.open(first)
        page.check("auto", False)
        page.connect()
        first.stop()
        page.until_state("idle")
        self.assertEqual(page.text("connect"), "Reconnect")
        self.assertIn("1001", page.text("state"))
        self.start(listen=f"127.0.0.1:{first.port}")
        page.connect()

        page.disconnect()
        page.check("auto", True)
        page.connect()
        page.disconnect()
        self.assertEqual(page.state(), "idle", "who hangs up is not called back")

    def test_waiting_can_be_given_up(self):
        server = self.start()
        page = self.browser.open(server).connect()
        server.stop()
        page.until(lambda: "attempt 3" in page.text("state"), "a third attempt")
        page.until_state("waiting")
        page.click("connect")
        page.until_state("idle")

    def test_an_address_that_is_none_is_complained_of(self):
        page = self.browser.open(self.start())
        page.fill("url", "what?#")
        page.run("document.getElementById('protocols').value = 'a b'")
        page.click("connect")
        self.assertIn("ws://", page.text("url-error"))
        self.assertEqual((page.focused(), page.state()), ("url", "idle"))
        self.assertEqual(page.element("url").get_attribute("aria-invalid"), "true")

    def test_nobody_there_is_said(self):
        server = self.start()
        page = self.browser.open(server)
        server.stop()
        page.click("connect")
        page.until(lambda: "could not be reached" in page.text("state"), "the complaint")
        self.assertEqual(page.ending()["code"], "1006")


class Stranger:
    """Another server, which knows no subprotocol; it closes with the code in the path."""

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server = self.call(self.listen())
        self.url = f"ws://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_):
        self.server.close()
        self.call(self.server.wait_closed())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(hotline_server.PATIENCE)
        self.loop.close()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(
            hotline_server.PATIENCE)

    async def listen(self):
        return await websockets.serve(self.talk, "127.0.0.1", 0)

    async def talk(self, connection, path):
        try:
            await self.answer(connection, path.strip("/"))
        except websockets.ConnectionClosed:
            pass  # a browser that offered a subprotocol and got none hangs up

    async def answer(self, connection, what):
        if what == "1006":
            connection.transport.abort()
        elif what == "1005":
            await connection.write_close_frame(websockets.frames.Close(1005, ""), b"")
        elif what.isdigit():
            await connection.close(int(what), "said so")
        else:
            async for message in connection:
                await connection.send(message)


class OtherServers(PageTest):
    def test_they_are_talked_to_without_the_handshake(self):
        page = self.browser.open(self.start())
        with Stranger() as stranger:
            for _ in range(2):
                page.connect(f"{stranger.url}/talk")
                self.assertIn("does not show a page its handshake", page.text("handshake-note"))
                self.assertIn("does not speak handshake.hotline", page.text("handshake-note"))
                self.assertFalse(page.is_visible("handshake"))
                page.click("clear")
                page.say("{\"request\": \"\", \"response\": \"\"}")
                self.assertTrue(page.until_messages(2)[1]["took"])
                page.disconnect()

    def test_each_code_is_told_with_its_meaning(self):
        page = self.browser.open(self.start())
        page.check("auto", False)
        names = {1000: "Normal closure", 1001: "Going away", 1002: "Protocol error",
                 1003: "Unsupported data", 1005: "No status received", 1006: "Abnormal closure",
                 1007: "Invalid payload", 1008: "Policy violation", 1009: "Message too big",
                 1010: "Mandatory extension", 1011: "Internal error", 1012: "Service restart",
                 1013: "Try again later", 1014: "Bad gateway", 3000: "Unauthorized",
                 3003: "Forbidden", 3008: "Timeout", 3500: "Unassigned", 4999: "Private use"}
        with Stranger() as stranger:
            for code, name in names.items():
                with self.subTest(code):
                    page.run("document.getElementById('ending').hidden = true")
                    page.run("document.getElementById('url').value = arguments[0]",
                             f"{stranger.url}/{code}")
                    page.click("connect")
                    ending = page.ending()
                    self.assertEqual((ending["code"], ending["name"]), (str(code), name))
                    self.assertTrue(ending["meaning"])
                    clean = "no" if code == 1006 else "yes, with a closing handshake"
                    self.assertEqual(ending["clean"], clean)
                    self.assertEqual(ending["reason"],
                                     "none" if code in (1005, 1006) else "said so")
                    page.until_state("idle")


if __name__ == "__main__":
    hotline_server.main()
