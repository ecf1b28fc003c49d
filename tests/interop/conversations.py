"""What other people's clients say to our server: each conversation is the client's, by its name."""

import subprocess

import hotline_server


class Conversations:
    """For a TestCase with `client`: the words that start it, before the URL."""

    ca = ()
    served = ()
    environment = None

    def talk(self, conversation, *arguments, at_a_line=None):
        with hotline_server.Server(*arguments, *self.served, threads=2) as server:
            client = subprocess.Popen([*self.client, server.url, conversation, *self.ca],
                                      env=self.environment, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
            try:
                if at_a_line:
                    self.assertEqual(client.stdout.readline(), "connected\n")
                    at_a_line(server)
                _, errors = client.communicate(timeout=hotline_server.PATIENCE)
            finally:
                client.kill()
                client.communicate()
            self.assertEqual((client.returncode, errors), (0, ""))
            self.assertEqual(server.stop(), (0, ""))

    def test_text_and_binary_of_all_sizes(self):
        self.talk("sizes", "--message-limit", "64M")

    def test_fragments(self):
        self.talk("fragments", "--message-limit", "64M", "--fragment-limit", "1000000")

    def test_pings(self):
        self.talk("pings")

    def test_no_subprotocol_and_no_extension(self):
        self.talk("subprotocols")

    def test_close_codes(self):
        self.talk("closes")

    def test_messages_beyond_the_limit_are_1009(self):
        self.talk("limit", "--message-limit", "1k")

    def test_a_drain_is_1001_to_each(self):
        self.talk("drain", at_a_line=hotline_server.Server.signal)

    def test_twenty_at_once(self):
        self.talk("together")

    def test_many_messages_under_way(self):
        self.talk("many")

    def test_a_foreign_origin_is_refused(self):
        self.talk("origin")
