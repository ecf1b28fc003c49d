"""The page at work in a real browser: messages, round trips, the handshake."""

import base64
import hashlib
import os
import pathlib
import tempfile

from browser import DROP, PageTest, hotline_server
from selenium.webdriver.common.keys import Keys

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def check_handshake(case, page, how):
    """What the page says of the handshake, against an account of our own."""
    request = page.text("request").split("\n")
    response = page.text("response").split("\n")
    case.assertEqual(request[0], "GET /echo HTTP/1.1")
    case.assertEqual(response[0], "HTTP/1.1 101 Switching Protocols")
    case.assertIn("Sec-WebSocket-Protocol: handshake.hotline", request)
    case.assertIn("Sec-WebSocket-Protocol: handshake.hotline", response)
    key = page.text("step-key")
    case.assertEqual(len(base64.b64decode(key, validate=True)), 16)
    digest = hashlib.sha1((key + GUID).encode()).digest()
    accept = base64.b64encode(digest).decode()
    case.assertIn(f"Sec-WebSocket-Key: {key}", request)
    case.assertIn(f"Sec-WebSocket-Accept: {accept}", response)
    case.assertEqual(page.text("step-joined-key") + page.text("step-guid"), key + GUID)
    case.assertEqual(page.text("step-length"), "60")
    case.assertEqual(page.text("step-sha"), digest.hex(" "))
    case.assertEqual((page.text("step-accept"), page.text("step-server")), (accept, accept))
    case.assertIn("✓", page.text("verdict"))
    case.assertIn(how, page.text("step-how"))


class Talking(PageTest):
    def setUp(self):
        self.server = self.start()
        self.page = self.browser.open(self.server)

    def tearDown(self):
        self.assertEqual(self.page.complaints(), [])
        own = (f"http://127.0.0.1:{self.server.port}/", f"ws://127.0.0.1:{self.server.port}/")
        requests = self.page.requests()
        self.assertIn(own[0], requests)
        for url in requests:
            self.assertTrue(url.startswith((*own, "data:")), f"{url} is elsewhere")

    def test_a_text_comes_back_with_its_size_and_its_round_trip(self):
        page = self.page
        self.assertEqual(page.element("url").get_attribute("value"), self.server.url)
        self.assertFalse(page.element("send").is_enabled())
        page.connect()
        self.assertIn("Connected", page.text("state"))
        page.say("Grüße, ☎")
        sent, received = page.until_messages(2)
        for row, direction in ((sent, "sent"), (received, "received")):
            self.assertEqual((row["direction"], row["kind"], row["size"], row["body"]),
                             (direction, "text", "12 bytes", "Grüße, ☎"))
        self.assertEqual(sent["took"], "")
        self.assertRegex(received["took"], r"^[\d.]+ ms$")
        self.assertEqual(page.text("trip-last"), received["took"])
        self.assertEqual(page.text("totals"), "Sent 1 message, 12 bytes. "
                                              "Received 1 message, 12 bytes.")
        self.assertIn("12 bytes, round trip", page.text("heard"))
        page.disconnect()

    def test_an_empty_text_and_bytes_in_hex_come_back_too(self):
        page = self.page.connect()
        page.say("")
        page.until_messages(2)
        page.run("document.querySelector('[value=hex]').click()")
        page.say("00 fF7f")
        page.until_messages(4)
        page.say("0")
        self.assertIn("pairs", page.text("message-error"))
        self.assertEqual(page.focused(), "message")
        rows = page.messages()
        self.assertEqual([(row["kind"], row["size"], row["body"]) for row in rows],
                         [("text", "0 bytes", "(empty)")] * 2
                         + [("binary", "3 bytes", "00 ff 7f")] * 2)
        self.assertTrue(rows[3]["took"])

    def test_a_file_of_1_mib_that_is_dropped_comes_back_the_same(self):
        page = self.page.connect()
        page.run(DROP, page.element("message"), "big.bin", 1 << 20)
        sent, received = page.until_messages(2)
        self.assertEqual((sent["kind"], sent["size"]), ("binary", "1.00 MiB"))
        self.assertTrue(sent["body"].startswith("big.bin: 00 1f 3e 5d"), sent)
        self.assertEqual((received["kind"], received["size"]), ("binary", "1.00 MiB"))
        self.assertTrue(received["took"], "only a message that is the same counts as an echo")
        self.assertEqual(page.text("message-error"), "")

    def test_files_that_are_picked_go_out_one_by_one(self):
        page = self.page.connect()
        with tempfile.TemporaryDirectory() as directory:
            paths = [pathlib.Path(directory) / name for name in ("one.bin", "two.bin")]
            for path in paths:
                path.write_bytes(os.urandom(1000))
            page.element("file").send_keys("\n".join(map(str, paths)))
            rows = page.until_messages(4)
        sent = [row["body"][:9] for row in rows if row["direction"] == "sent"]
        self.assertEqual(sent, ["one.bin: ", "two.bin: "])
        self.assertTrue(all(row["took"] for row in rows if row["direction"] == "received"))

    def test_a_small_echo_is_timed_and_is_no_message(self):
        page = self.page.connect()
        self.assertEqual(page.text("trip-last"), "–")
        page.click("ping")
        page.until(lambda: page.text("ping-result"), "the result")
        self.assertRegex(page.text("ping-result"), r"^Round trip [\d.]+ ms$")
        page.until(lambda: page.text("trip-last") != "–", "the figure")
        self.assertEqual(page.run("return document.querySelectorAll('#chart .hollow').length"), 1)
        self.assertEqual(page.messages(), [])
        page.check("ping-often", True)
        page.until(lambda: page.run("return document.querySelectorAll('#chart circle').length") > 2,
                   "an echo every second")

    def test_the_list_keeps_the_latest_200_and_says_so(self):
        page = self.page.connect()
        page.run("for (let i = 0; i < 130; ++i) document.getElementById('compose').requestSubmit()")
        page.until(lambda: "200 of 260" in page.text("capped"), "the note")
        rows = page.messages()
        self.assertEqual((len(rows), rows[-1]["number"]), (200, 260))
        self.assertIn("Received 130 messages", page.text("totals"))
        page.click("clear")
        page.until(lambda: page.text("trip-last") == "–", "the figure's next frame")
        self.assertEqual(page.messages(), [])

    def test_the_handshake_is_shown_and_accept_follows_from_key(self):
        page = self.page
        self.assertFalse(page.is_visible("handshake"))
        page.connect()
        page.until(lambda: page.is_visible("handshake"), "the handshake")
        self.assertTrue(page.run("return isSecureContext"))
        check_handshake(self, page, "WebCrypto")
        page.disconnect()
        first = page.text("step-key")
        page.connect()
        page.until(lambda: page.text("step-key") != first, "another key")

    def test_by_the_keyboard_alone_everything_can_be_done(self):
        page = self.page

        def tab_to(name):
            for _ in range(30):
                page.keys(Keys.TAB)
                if page.focused() == name:
                    outline = page.run("""
                        const seen = (each) => getComputedStyle(each).outlineStyle !== 'none';
                        const focused = document.activeElement;
                        return seen(focused) || seen(focused.parentElement)""")
                    self.assertTrue(outline, f"{name} does not show that it has the focus")
                    return
            self.fail(f"Tab does not lead to {name}")

        tab_to("url")
        page.keys(Keys.ENTER)
        page.until_state("open")
        tab_to("connect")
        tab_to("message")
        page.chord(Keys.CONTROL, "a")
        page.keys("by hand")
        page.chord(Keys.CONTROL, Keys.ENTER)
        self.assertEqual(page.until_messages(2)[1]["body"], "by hand")
        page.chord(Keys.CONTROL, Keys.ENTER)
        page.until_messages(4)  # it was kept, to be sent again
        for name in ("send", "file", "messages-scroll", "ping"):
            tab_to(name)
        page.keys(Keys.SPACE)
        page.until(lambda: page.text("ping-result"), "the small echo")
        tab_to("code")
        page.chord(Keys.CONTROL, "a")
        page.keys("4000")
        tab_to("reason")
        page.keys("done", Keys.ENTER)
        self.assertEqual(page.ending()["code"], "4000")
        self.assertEqual(page.ending()["reason"], "done")

    def test_the_policy_stops_what_it_should(self):
        # Were there none, tearDown's look at the console could not fail.
        stopped = self.page.driver.execute_async_script("""
            const done = arguments[0];
            addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));
            fetch('/healthz').catch(() => 0);""")
        self.assertEqual(stopped, "connect-src")
        refused = self.page.run("""
            try { document.body.innerHTML = '<b>'; return '' } catch (error) { return error.name }""")
        self.assertEqual(refused, "TypeError")
        self.assertNotEqual(self.page.complaints(), [])


class WithoutASecureContext(PageTest):
    def test_the_page_has_its_own_sha_1(self):
        # Over plain http, from a name that is not this machine's, a browser has no WebCrypto.
        server = self.start(listen="0.0.0.0:0")
        page = self.browser.open(server, host="plain.test").connect()
        self.assertFalse(page.run("return isSecureContext"))
        page.until(lambda: page.is_visible("handshake"), "the handshake")
        check_handshake(self, page, "own code")
        # One header is for secure contexts only, and a browser says so.
        self.assertEqual([each for each in page.complaints()
                          if "Cross-Origin-Opener-Policy" not in each], [])


if __name__ == "__main__":
    hotline_server.main()
