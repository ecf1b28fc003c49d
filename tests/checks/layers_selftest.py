"""The layer check catches each include against the arrows, and lets the others pass."""
import pathlib
import tempfile
import unittest

from layers import complaints


class LayerCheck(unittest.TestCase):
    def found(self, path, *includes):
        with tempfile.TemporaryDirectory() as root:
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True)
            file.write_text("".join(f"#include {include}\n" for include in includes))
            return complaints(root)

    def refuses(self, path, include):
        found = self.found(path, "<string>", include)
        self.assertEqual(len(found), 1, (path, include))
        self.assertTrue(found[0].startswith(f"{path}:2: "), found)

    def accepts(self, path, *includes):
        self.assertEqual(self.found(path, *includes), [])

    def test_a_layer_includes_itself_and_what_is_below(self):
        self.accepts("src/base/a.cc", "<hotline/base/task.h>", '"base/b.h"', "<sys/socket.h>")
        self.accepts("src/net/a.cc", "<hotline/base/task.h>", '"net/b.h"', "<boost/asio.hpp>")
        self.accepts("src/http/a.cc", '"net/b.h"', "<boost/beast/http.hpp>")
        self.accepts("src/websocket/a.cc", '"protocol/b.h"', '"http/b.h"', '"net/b.h"')
        self.accepts("src/net/a_test.cc", '"support/b.h"', "<gtest/gtest.h>",
                     "<hotline/asio_start.h>")
        self.accepts("src/websocket/a.cc", "<hotline/asio.h>")
        self.accepts("src/net/a_fixture.h", '"support/b.h"')
        self.accepts("src/net/a_test.cc", "<hotline/testing.h>", "<hotline/testing/seeds.h>")
        self.accepts("src/testing/a.cc", '"websocket/b.h"', '"net/b.h"')
        self.refuses("src/websocket/a.cc", "<hotline/testing/seeds.h>")

    def test_no_layer_includes_what_is_above_or_beside_it(self):
        self.refuses("src/base/a.cc", '"net/b.h"')
        self.refuses("src/base/a_test.cc", "<hotline/net/stream.h>")
        self.refuses("src/protocol/a.cc", "<hotline/net/stream.h>")
        self.refuses("src/net/a.cc", '"protocol/b.h"')
        self.refuses("src/http/a.cc", "<hotline/websocket/upgrader.h>")
        self.refuses("src/http/a.cc", '"protocol/b.h"')
        self.refuses("src/websocket/a.cc", "<hotline/hotline.h>")
        self.refuses("include/hotline/net/a.h", "<hotline/http/server.h>")

    def test_libraries_of_others_stay_in_their_layers(self):
        self.refuses("src/base/a.cc", "<boost/asio.hpp>")
        self.refuses("src/protocol/a.cc", "<boost/asio.hpp>")
        self.refuses("src/net/a.cc", "<boost/beast/core.hpp>")
        self.refuses("src/net/a.cc", "<hwy/highway.h>")
        self.refuses("src/websocket/a.cc", "<spdlog/spdlog.h>")
        self.refuses("src/base/a.cc", "<hotline/asio_start.h>")
        self.refuses("src/net/a.cc", "<hotline/asio.h>")
        self.refuses("src/net/a.cc", '"support/b.h"')

    def test_public_headers_are_without_boost_and_internals(self):
        self.refuses("include/hotline/net/a.h", "<boost/asio.hpp>")
        self.refuses("include/hotline/net/a.h", '"net/loop.h"')
        self.refuses("include/hotline/net/a.h", "<hotline/asio.h>")
        self.refuses("include/hotline/hotline.h", "<boost/asio.hpp>")
        self.refuses("include/hotline/hotline.h", "<hotline/asio.h>")
        self.refuses("include/hotline/asio_start.h", "<hotline/http/server.h>")
        self.accepts("include/hotline/asio.h", "<boost/asio.hpp>", "<hotline/base/task.h>")
        self.accepts("include/hotline/hotline.h", "<hotline/http/server.h>")

    def test_examples_use_public_headers(self):
        self.refuses("examples/a.cc", '"net/loop.h"')
        self.accepts("examples/a.cc", "<hotline/hotline.h>", "<hotline/asio.h>",
                     "<boost/asio/steady_timer.hpp>")
        self.accepts("tools/a.cc", "<CLI/CLI.hpp>", "<spdlog/spdlog.h>", '"net/loop.h"')

    def test_public_headers_are_in_angle_brackets_and_internal_ones_in_quotes(self):
        self.refuses("src/net/a.cc", '"hotline/net/stream.h"')
        self.refuses("src/net/a.cc", "<net/loop.h>")
        self.refuses("src/net/a.cc", '"loop.h"')

    def test_a_directory_that_is_not_a_layer_is_reported(self):
        self.assertEqual(len(self.found("src/util/a.cc", "<string>")), 1)

    def test_an_empty_tree_is_reported(self):
        with tempfile.TemporaryDirectory() as root:
            self.assertEqual(len(complaints(root)), 1)


if __name__ == "__main__":
    unittest.main()
