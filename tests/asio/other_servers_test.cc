// WebSockets in other people's servers, over TCP.
#include <sys/socket.h>

#include <functional>
#include <optional>
#include <string>

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <gtest/gtest.h>

#include <hotline/asio.h>

#include "support/frames.h"
#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

std::string handshake(std::string_view more = {}) {
  return "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         std::string(more) + "\r\n";
}

// A server of somebody else's in a context of its own, and a client in the same. What it does with
// a connection is the test's.
class OtherServer : public ::testing::Test {
 protected:
  using Socket = tcp::socket;
  using Serve = std::function<asio::awaitable<void>(Connection)>;

  ~OtherServer() override { EXPECT_EQ(hotline::detail::live_tasks, tasks_before_); }

  // Parses one request by Beast, and hands it over.
  asio::awaitable<void> accept_one() {
    auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
    beast::flat_buffer buffer;
    beast::http::request<beast::http::string_body> request;
    co_await beast::http::async_read_header(socket, buffer, parser_, asio::use_awaitable);
    auto connection = accept(upgrader, parser_.get(), std::move(socket), buffer.data());
    accepted = connection.has_value();
    if (connection) co_await serve(std::move(*connection));
    served = true;
  }

  // Sends, and reads to the end; before it says the last, it hears so many bytes behind the 101.
  asio::awaitable<void> call(std::string bytes, std::size_t awaited, std::string last) {
    Socket socket{context};
    co_await socket.async_connect(acceptor_.local_endpoint(), asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
    if (awaited > 0) {
      const auto head = co_await asio::async_read_until(socket, asio::dynamic_buffer(received),
                                                        "\r\n\r\n", asio::use_awaitable);
      received.erase(0, head);
      if (received.size() < awaited) {
        co_await asio::async_read(socket, asio::dynamic_buffer(received),
                                  asio::transfer_at_least(awaited - received.size()),
                                  asio::use_awaitable);
      }
      co_await asio::async_write(socket, asio::buffer(last), asio::use_awaitable);
    }
    boost::system::error_code error;
    co_await asio::async_read(socket, asio::dynamic_buffer(received),
                              asio::redirect_error(asio::use_awaitable, error));
    received.erase(0, received.starts_with("HTTP/1.1 101") ? received.find("\r\n\r\n") + 4 : 0);
  }

  // Until both have ended and nothing of Hotline's keeps the context.
  void run(std::string bytes, std::size_t awaited = 0, std::string last = {}) {
    asio::co_spawn(context, accept_one(), [](std::exception_ptr) {});
    asio::co_spawn(context, call(std::move(bytes), awaited, std::move(last)), asio::detached);
    context.run();
  }

  static asio::awaitable<void> echo_by_task(Connection connection) {
    const auto executor = co_await asio::this_coro::executor;
    co_await async_start(executor, echo(std::move(connection)), asio::use_awaitable);
  }

  asio::io_context context{1};
  Upgrader upgrader;
  Serve serve = echo_by_task;
  std::string received;  // behind the 101
  bool accepted = false;
  bool served = false;

 private:
  std::int64_t tasks_before_ = hotline::detail::live_tasks;
  tcp::acceptor acceptor_{context, {asio::ip::address_v4::loopback(), 0}};
  beast::http::request_parser<beast::http::string_body> parser_;
};

const std::string bye = from_client(8, close_payload(1000));
const std::string bye_too = from_server(8, close_payload(1000));

TEST_F(OtherServer, that_parses_by_beast_serves_a_task) {
  run(handshake() + from_client(1, "hello") + bye);
  EXPECT_EQ(received, from_server(1, "hello") + bye_too);
  EXPECT_TRUE(served);
}

TEST_F(OtherServer, reads_and_writes_in_its_own_coroutines) {
  std::string log;
  serve = [&log](Connection connection) -> asio::awaitable<void> {
    while (auto message = co_await async_read(connection, asio::use_awaitable)) {
      const bool sent =
          co_await async_write(connection, std::string(message->text()) + "!", asio::use_awaitable);
      EXPECT_TRUE(sent);
    }
    const auto status = co_await async_closed(connection, asio::use_awaitable);
    log = describe(status);
    const auto none = co_await async_ping(connection, asio::use_awaitable);
    EXPECT_FALSE(none);
    const bool sent = co_await async_write(connection, std::string("x"), asio::use_awaitable);
    EXPECT_FALSE(sent);
  };
  // It says goodbye only when it has been answered: there is time between those steps.
  run(handshake() + from_client(1, "a") + from_client(2, "b"), 8, bye);
  EXPECT_EQ(received, from_server(1, "a!") + from_server(1, "b!") + bye_too);
  EXPECT_EQ(log, "1000 by peer");
}

// A connection served by callbacks, as older code does it.
struct Callbacks : std::enable_shared_from_this<Callbacks> {
  explicit Callbacks(Connection own) : connection(std::move(own)) {}
  void read() {
    async_read(connection,
               [self = shared_from_this()](std::exception_ptr, std::optional<KeptMessage> message) {
                 if (message) self->write(std::vector<std::byte>(message->size(), std::byte{'z'}));
               });
  }
  void write(std::vector<std::byte> bytes) {
    async_write(connection, std::move(bytes),
                [self = shared_from_this()](std::exception_ptr, bool sent) {
                  if (sent) self->read();
                });
  }
  Connection connection;
};

TEST_F(OtherServer, reads_and_writes_by_callbacks) {
  serve = [](Connection connection) -> asio::awaitable<void> {
    std::make_shared<Callbacks>(std::move(connection))->read();
    co_return;
  };
  run(handshake() + from_client(1, "abc"), 5, bye);
  EXPECT_EQ(received, from_server(2, "zzz") + bye_too);
}

TEST_F(OtherServer, closes_by_a_token) {
  std::string log;
  serve = [&log](Connection connection) -> asio::awaitable<void> {
    const auto status =
        co_await async_close(connection, CloseCode{4000}, "enough", asio::use_awaitable);
    log = describe(status);
  };
  run(handshake() + from_client(8, close_payload(4000)));
  EXPECT_EQ(received, from_server(8, close_payload(4000, "enough")));
  EXPECT_EQ(log.substr(0, 4), "4000");
}

TEST_F(OtherServer, leaves_a_refusal_to_hotline) {
  run(handshake("Origin: http://evil.example\r\n"));
  EXPECT_FALSE(accepted);
  EXPECT_TRUE(received.starts_with("HTTP/1.1 403")) << received;
  EXPECT_NE(received.find("evil.example"), std::string::npos);
}

TEST_F(OtherServer, an_exception_out_of_a_task_closes_with_1011) {
  serve = [](Connection connection) -> asio::awaitable<void> {
    const auto fail = [](Connection own) -> Task<> {
      auto message = co_await own.read();
      throw std::runtime_error("it fails");
    };
    const auto executor = co_await asio::this_coro::executor;
    co_await async_start(executor, fail(std::move(connection)), asio::use_awaitable);
  };
  run(handshake() + from_client(1, "x") + from_client(8, close_payload(1011)));
  EXPECT_EQ(received, from_server(8, close_payload(1011)));
}

TEST_F(OtherServer, drains_and_hears_when_all_have_gone) {
  bool gone = false;
  serve = [&](Connection connection) -> asio::awaitable<void> {
    const auto first = co_await async_read(connection, asio::use_awaitable);
    async_drain(context, [&gone](std::exception_ptr) { gone = true; });
    const auto none = co_await async_read(connection, asio::use_awaitable);
    EXPECT_FALSE(none);
    EXPECT_FALSE(gone);
  };
  const auto close = from_server(8, close_payload(1001, "the server drains"));
  run(handshake() + from_client(1, "x"), close.size(), from_client(8, close_payload(1001)));
  EXPECT_EQ(received, close);
  EXPECT_TRUE(gone);
}

TEST_F(OtherServer, a_cancelled_read_consumes_nothing) {
  serve = [](Connection connection) -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal signal;
    bool cancelled = false;
    async_read(connection,
               asio::bind_cancellation_slot(
                   signal.slot(), [&](std::exception_ptr exception, std::optional<KeptMessage>) {
                     cancelled = exception != nullptr;
                   }));
    // It begins and ends in turn, before the first message is looked at.
    signal.emit(asio::cancellation_type::terminal);
    co_await asio::post(executor, asio::use_awaitable);
    co_await asio::post(executor, asio::use_awaitable);
    co_await asio::post(executor, asio::use_awaitable);
    EXPECT_TRUE(cancelled);
    co_await echo_by_task(std::move(connection));
  };
  run(handshake() + from_client(1, "still there") + bye);
  EXPECT_EQ(received, from_server(1, "still there") + bye_too);
}

TEST_F(OtherServer, an_operation_outlives_the_connections_handle) {
  bool ended = false;
  serve = [&](Connection connection) -> asio::awaitable<void> {
    async_read(connection, [&](std::exception_ptr exception, std::optional<KeptMessage> message) {
      ended = !exception && !message;
    });
    co_return;  // and with it the connection
  };
  run(handshake() + bye);
  EXPECT_TRUE(ended);
}

TEST(OtherContext, may_be_destroyed_with_a_connection_that_is_open) {
  const auto tasks = hotline::detail::live_tasks;
  {
    asio::io_context context{1};
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    const std::string request = handshake();
    http::RequestHead head;
    head.fields = {{"Host", "localhost"},
                   {"Upgrade", "websocket"},
                   {"Connection", "Upgrade"},
                   {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                   {"Sec-WebSocket-Version", "13"}};
    const Upgrader upgrader;
    auto connection = hotline::detail::accept_in(context, upgrader, http::Request{std::move(head)},
                                                 adopt_descriptor(context, ends[0]), "");
    ASSERT_TRUE(connection);
    async_start(context, echo(std::move(*connection)), asio::detached);
    context.poll();
    char bytes[200];
    EXPECT_GT(::recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT), 0);
    ::close(ends[1]);
  }
  EXPECT_EQ(hotline::detail::live_tasks, tasks);
}

TEST(OtherContext, is_found_behind_a_strand) {
  asio::io_context context{1};
  const auto strand = asio::make_strand(context);
  EXPECT_EQ(&hotline::detail::context_of(strand), &context);
  EXPECT_EQ(&hotline::detail::context_of(asio::make_strand(asio::any_io_executor{strand})),
            &context);
  asio::thread_pool pool{1};
  EXPECT_THROW(hotline::detail::context_of(pool.get_executor()), Error);
  EXPECT_THROW(hotline::detail::context_of(asio::make_strand(pool)), Error);
}

TEST(OtherContext, a_descriptor_that_is_none_is_an_error) {
  asio::io_context context{1};
  EXPECT_THROW((void)adopt_descriptor(context, -1), Error);
}

}  // namespace
}  // namespace hotline::websocket
