#include <hotline/asio_stream.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

namespace asio = boost::asio;

class AsioStreamTest : public ConnectionTest {
 protected:
  static AsioStream stream_of(Line& line) {
    auto connection = line.connect();
    Turn turn{*line.loop};
    return AsioStream{std::move(connection)};
  }
};

INSTANTIATE_TEST_SUITE_P(Both, AsioStreamTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

TEST_P(AsioStreamTest, lines_can_be_read_until_its_end) {
  Line line{GetParam()};
  std::string log;
  auto reader = [](AsioStream stream, std::string& out) -> Task<> {
    std::string buffer;
    for (;;) {
      const auto token = asio::as_tuple(use_task);
      const auto [code, size] =
          co_await asio::async_read_until(stream, asio::dynamic_buffer(buffer), '\n', token);
      if (code) {
        out += code == asio::error::eof ? "eof" : code.message();
        break;
      }
      out += buffer.substr(0, size - 1) + ",";
      buffer.erase(0, size);
    }
  };
  line.loop.run(reader(stream_of(line), log));
  line.send(line.frame(text, "one\ntw") + line.frame(binary, "o\n"));
  EXPECT_EQ(log, "one,two,");
  line.send(line.close_frame(1000));
  EXPECT_EQ(log, "one,two,eof");
}

TEST_P(AsioStreamTest, reads_and_writes_by_callback) {
  Line line{GetParam()};
  auto stream = stream_of(line);
  std::string bytes(5, '\0');
  std::string log;
  asio::async_read(stream, asio::buffer(bytes), [&](const auto& code, std::size_t size) {
    log += code.message() + " " + std::to_string(size);
  });
  line.send(line.frame(binary, "12") + line.frame(binary, "345"));
  EXPECT_EQ(log, "Success 5");
  EXPECT_EQ(bytes, "12345");
  const std::array<asio::const_buffer, 3> parts = {asio::buffer("", 0), asio::buffer("a", 1),
                                                   asio::buffer("bc", 2)};
  asio::async_write(stream, parts, [&](const auto& code, std::size_t size) {
    log += ", " + code.message() + " " + std::to_string(size);
  });
  EXPECT_EQ(line.next(), "binary:a");
  EXPECT_EQ(line.next(), "binary:bc");
  EXPECT_EQ(log, "Success 5, Success 3");
}

TEST_P(AsioStreamTest, a_lost_connection_is_reset_and_then_broken) {
  Line line{GetParam()};
  auto stream = stream_of(line);
  char byte = 0;
  boost::system::error_code read;
  boost::system::error_code written;
  stream.async_read_some(asio::buffer(&byte, 1), [&](auto code, std::size_t) { read = code; });
  line.loop.settle();
  line.peer.reset();
  line.loop.settle();
  EXPECT_EQ(read, asio::error::connection_reset);
  stream.async_write_some(asio::buffer("x", 1), [&](auto code, std::size_t) { written = code; });
  line.loop.settle();
  EXPECT_EQ(written, asio::error::broken_pipe);
}

TEST_P(AsioStreamTest, an_operation_ends_when_it_is_cancelled_or_the_stream_destroyed) {
  Line line{GetParam()};
  std::optional<AsioStream> stream{stream_of(line)};
  char byte = 0;
  std::string log;
  asio::cancellation_signal signal;
  stream->async_read_some(asio::buffer(&byte, 1),
                          asio::bind_cancellation_slot(signal.slot(), [&](auto code, std::size_t) {
                            log += code == asio::error::operation_aborted ? "aborted " : "?";
                          }));
  line.loop.settle();
  signal.emit(asio::cancellation_type::terminal);
  line.loop.settle();
  EXPECT_EQ(log, "aborted ");
  stream->async_read_some(asio::buffer(&byte, 1), [&](auto code, std::size_t) {
    log += code == asio::error::eof ? "eof" : code.message();
  });
  line.loop.settle();
  stream.reset();
  EXPECT_EQ(line.next(), "close:1000");
  line.send(line.close_frame(1000));
  EXPECT_EQ(log, "aborted eof");
}

}  // namespace
}  // namespace hotline::websocket
