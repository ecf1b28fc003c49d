"""`hotline call` as a person has it: in a terminal, with a line that is typed while messages come."""

import queue
import unittest

import calling  # noqa: F401 (finds the support)
import hotline_server
from hotline_server import PATIENCE, Server, program
from raw_peer import BINARY, TEXT, echoed, eventually
from raw_server import RawServer
from terminal import Terminal


class Friend:
    """A server whose test says what it sends, and sees what comes."""

    def __init__(self):
        self.came = queue.Queue()
        self.caller = None
        self.code = None
        self.server = RawServer(self._talk)
        self.url = self.server.url

    def _talk(self, caller):
        self.caller = caller.upgrade()
        for opcode, payload in caller.messages():
            self.came.put(payload.decode() if opcode == TEXT else payload)
        self.code = caller.code

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.server.__exit__(*exception)

    def send(self, payload, opcode=TEXT):
        self.caller.send(echoed(opcode, payload.encode() if isinstance(payload, str) else payload))

    def hears(self):
        return self.came.get(timeout=PATIENCE)


class InATerminal(unittest.TestCase):
    def test_what_is_typed_is_sent_and_what_comes_is_shown(self):
        with Server() as server, Terminal.of_call(server.url) as terminal:
            terminal.wait_for_last(f"* connected to {server.url}; Ctrl-D hangs up", ">")
            terminal.type("hello")
            terminal.wait_for_last("> hello")
            terminal.press("Enter")
            terminal.wait_for_last("> hello", "< hello", ">")
            terminal.type("Grüße, 世界")
            terminal.press("Enter")
            terminal.wait_for_last("> Grüße, 世界", "< Grüße, 世界", ">")
            terminal.press("Enter")  # nothing is not sent
            terminal.press("C-d")
            terminal.wait_for_last("status 0", "as before")

    def test_the_line_can_be_edited(self):
        with Friend() as friend, Terminal.of_call(friend.url) as terminal:
            terminal.wait_for_last(">")
            terminal.type("helo world")
            terminal.press("C-a", "Right", "Right", "l", "Right", "Right", "Delete")
            terminal.wait_for_last("> helloworld")
            terminal.press("C-e", "BSpace", "d", "!", "Enter")
            self.assertEqual(friend.hears(), "helloworld!")
            terminal.type("one two three")
            terminal.press("C-w", "C-w", "Enter")
            self.assertEqual(friend.hears(), "one ")

    def test_history_comes_back_also_in_another_call(self):
        with Friend() as friend:
            with Terminal.of_call(friend.url) as terminal:
                terminal.wait_for_last(">")
                for text in ("first", "second", " a secret"):
                    terminal.type(text)
                    terminal.press("Enter")
                    self.assertEqual(friend.hears(), text)
                terminal.press("Up", "Up", "Enter")
                self.assertEqual(friend.hears(), "first")
                terminal.press("C-d")
                terminal.wait_for_last("as before")
                again = Terminal.of_call(friend.url, state=terminal.state)
                with again:
                    again.wait_for_last(">")
                    again.press("Up")
                    again.wait_for_last("> first")
                    again.press("C-u", "C-r")
                    again.type("sec")
                    again.press("Enter")
                    self.assertEqual(friend.hears(), "second")

    def test_messages_that_come_leave_the_line_alone(self):
        with Friend() as friend, Terminal.of_call(friend.url) as terminal:
            terminal.wait_for_last(">")
            terminal.type("half a ")
            terminal.wait_for_last("> half a")
            friend.send("one")
            terminal.wait_for_last("< one", "> half a")
            friend.send("two\nlines")
            terminal.wait_for_last("< one", "< two", "lines", "> half a")
            terminal.type("line")
            terminal.press("Left")
            friend.send("three")
            terminal.wait_for_last("lines", "< three", "> half a line")
            terminal.press("Right", "!", "Enter")
            self.assertEqual(friend.hears(), "half a line!")

    def test_the_same_where_the_line_is_wider_than_the_screen(self):
        words = " ".join(f"word{number:02}" for number in range(20))  # 139 columns
        with Friend() as friend, Terminal.of_call(friend.url, width=60) as terminal:
            terminal.wait_for_last(">")
            terminal.type(words)
            typed = ["> " + words[:58], words[58:118], words[118:]]
            terminal.wait_for_last(*[line.rstrip() for line in typed])
            friend.send("a message")
            terminal.wait_for_last("< a message", *[line.rstrip() for line in typed])
            terminal.press("C-a")
            friend.send("another")
            terminal.wait_for_last("< a message", "< another", *[line.rstrip() for line in typed])
            terminal.press("Enter")
            self.assertEqual(friend.hears(), words)

    def test_the_terminal_may_change_its_size(self):
        words = " ".join(f"word{number:02}" for number in range(10))  # 69 columns
        with Friend() as friend, Terminal.of_call(friend.url) as terminal:
            terminal.wait_for_last(">")
            terminal.type(words)
            terminal.wait_for_last("> " + words)
            terminal.resize(40)
            terminal.wait_for_last("> " + words[:38], words[38:].strip())
            friend.send("narrow")
            terminal.wait_for_last("< narrow", "> " + words[:38], words[38:].strip())
            terminal.resize(100)
            terminal.wait_for_last("< narrow", "> " + words)
            friend.send("wide")
            terminal.wait_for_last("< wide", "> " + words)
            terminal.press("Enter")
            self.assertEqual(friend.hears(), words)

    def test_a_hundred_lines_are_pasted(self):
        lines = [f"line {number} of a paste" for number in range(100)]
        with Friend() as friend, Terminal.of_call(friend.url) as terminal:
            terminal.wait_for_last(">")
            terminal.paste("\n".join(lines) + "\n")
            self.assertEqual([friend.hears() for _ in lines], lines)
            screen = terminal.wait_for(lambda shown: shown[-2:] == ["> " + lines[-1], ">"],
                                       history=True)
            self.assertEqual([line for line in screen if line.startswith("> line")],
                             ["> " + line for line in lines], "nothing was echoed twice")

    def test_control_c_says_goodbye(self):
        with Friend() as friend, Terminal.of_call(friend.url) as terminal:
            terminal.wait_for_last(">")
            terminal.type("not sent")
            terminal.wait_for_last("> not sent")
            terminal.press("C-c")
            terminal.wait_for_last("status 0", "as before")
            self.assertTrue(eventually(lambda: friend.code == 1000))
            self.assertTrue(friend.came.empty())

    def test_control_backslash_leaves_the_terminal_as_it_was(self):
        with Friend() as friend, Terminal.of_call(friend.url) as terminal:
            terminal.wait_for_last(">")
            terminal.press("C-\\")
            terminal.wait_for_last("status 131", "as before")
            self.assertTrue(eventually(lambda: friend.server.failure), "it hung up without a word")
            friend.server.failure = None

    def test_control_z_gives_the_terminal_back(self):
        with Friend() as friend:
            with Terminal("bash --norc -i", PS1="$ ") as terminal:
                terminal.wait_for_last("$")
                terminal.type(f"'{program()}' call {friend.url}\n")
                terminal.wait_for_last(">")
                terminal.type("half")
                terminal.wait_for_last("> half")
                terminal.press("C-z")
                terminal.wait_for(lambda lines: lines[-1] == "$")
                terminal.type("echo here\n")
                terminal.wait_for_last("here", "$")
                terminal.type("fg\n")
                terminal.wait_for_last("> half")
                terminal.type(" and half\n")
                self.assertEqual(friend.hears(), "half and half")
                terminal.press("C-d")
                terminal.wait_for_last("$")

    def test_the_server_hangs_up(self):
        with Friend() as friend, Terminal.of_call(friend.url) as terminal:
            terminal.wait_for_last(">")
            friend.caller.send(echoed(8, b"\x03\xe8bye"))
            terminal.wait_for_last("* the server has hung up: 1000 (the connection has done its work): bye",
                                   "status 0", "as before")

    def test_control_d_is_heard_while_it_waits_to_dial_again(self):
        def talk(caller):
            caller.read_request()
            if server.callers == 1:
                caller.upgrade().reset()
            else:
                caller.send(b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\nRetry-After: 600\r\n\r\n")

        with RawServer(talk) as server:
            with Terminal.of_call("--reconnect", server.url) as terminal:
                terminal.wait_for(lambda lines: any("again in 6" in line for line in lines))
                terminal.type("in vain")
                terminal.wait_for_last("> in vain")
                terminal.press("C-u", "C-d")
                terminal.wait_for_last("hotline: given up: nobody was reached", "status 4",
                                       "as before")

    def test_what_is_typed_meanwhile_is_sent_by_the_next_connection(self):
        heard = queue.Queue()

        def talk(caller):
            caller.upgrade()
            if server.callers == 1:
                caller.reset()
                return
            for _, payload in caller.messages():
                heard.put(payload)

        with RawServer(talk) as server, Terminal.of_call("--reconnect", server.url) as terminal:
            terminal.wait_for(lambda lines: any("dialling again in" in line for line in lines))
            terminal.type("a line\n")
            self.assertEqual(heard.get(timeout=PATIENCE), b"a line")

    def test_nothing_takes_the_terminal_over(self):
        with Friend() as friend, Terminal.of_call(friend.url) as terminal:
            terminal.wait_for_last(">")
            friend.send("\x1b[2J\x1b]0;title\x07gone?")
            terminal.wait_for_last(r"< \x1b[2J\x1b]0;title\x07gone?", ">")
            friend.send(b"\x00\x1b\xff", BINARY)
            terminal.wait_for_last("< (binary, 3 bytes: 00 1b ff)", ">")

    def test_json_has_colours_unless_nobody_wants_them(self):
        for variables, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            with self.subTest(variables), Friend() as friend:
                with Terminal.of_call("--json", friend.url, **variables) as terminal:
                    terminal.wait_for_last(">")
                    friend.send('{"a":1}')
                    terminal.wait_for_last("< {", '  "a": 1', "}", ">")
                    self.assertEqual("\x1b[36m1" in "\n".join(terminal.lines(colours=True)),
                                     coloured)
                    terminal.press("C-d")
                    terminal.wait_for_last("as before")

    def test_a_bad_line_is_told_and_not_sent(self):
        with Friend() as friend, Terminal.of_call("--hex", friend.url) as terminal:
            terminal.wait_for_last(">")
            terminal.type("xyz\n")
            terminal.wait_for_last("> xyz", '* is not hexadecimal: "xyz"', ">")
            terminal.type("00 ff\n")
            self.assertEqual(friend.hears(), b"\x00\xff")

    def test_a_dumb_terminal_has_no_prompt(self):
        with Server() as server, Terminal(f"TERM=dumb '{program()}' call {server.url}; "
                                          "exec sleep 1000") as terminal:
            terminal.type("hello\n")
            terminal.wait_for_last("hello", "hello")


if __name__ == "__main__":
    hotline_server.main()
