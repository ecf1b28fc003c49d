#pragma once

// WebSockets in other people's servers and in Asio code; a part of hotline/asio.h.
//
// What is demanded: the io_context is run by one thread at a time (strands change nothing then, and
// are allowed), and everything here is called on that thread, or before it runs. A server whose
// context has many threads gives Hotline a context and a thread of its own, and hands sockets over
// by their descriptors. Connections end before their context.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>

#include <hotline/asio_start.h>
#include <hotline/http/request.h>
#include <hotline/http/server.h>
#include <hotline/net/stream.h>
#include <hotline/protocol/message.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/upgrader.h>

namespace hotline {

/// Takes over a connected stream socket (TCP or unix) for the loop of that context; makes it
/// non-blocking. On failure it is closed, and Error thrown. The stream must not outlive the
/// context.
StreamPointer adopt_descriptor(boost::asio::io_context& context, int descriptor);

/// The same for a socket of Asio; what was under way on it is cancelled.
template <typename Protocol, typename Executor>
StreamPointer adopt(boost::asio::io_context& context,
                    boost::asio::basic_stream_socket<Protocol, Executor> socket) {
  return adopt_descriptor(context, socket.release());
}

/// A request that Beast has parsed (boost::beast::http::request with any body and fields, or what
/// has the same members); it outlives the result.
template <typename BeastRequest>
  requires requires(const BeastRequest& request) {
    request.method_string();
    request.target();
    request.version();
    request.begin()->name_string();
  }
http::Request request_of(const BeastRequest& request, const Address& remote = {}) {
  const auto view = [](const auto& text) { return std::string_view{text.data(), text.size()}; };
  http::RequestHead head;
  head.method = view(request.method_string());
  head.target = view(request.target());
  head.version = static_cast<int>(request.version());
  head.remote = remote;
  for (const auto& field : request) {
    head.fields.push_back({view(field.name_string()), view(field.value())});
  }
  return http::Request{std::move(head)};
}

namespace detail {

std::optional<websocket::Connection> accept_in(boost::asio::io_context& context,
                                               const websocket::Upgrader& upgrader,
                                               const http::Request& request, StreamPointer stream,
                                               std::string received);

/// Keeps a connection's core for an operation, whatever becomes of the handle.
boost::asio::io_context& connection_context(websocket::ConnectionCore& core);
Task<std::optional<websocket::KeptMessage>> read_kept(websocket::CoreReference core);
Task<bool> write_kept(websocket::CoreReference core, std::string text);
Task<bool> write_kept(websocket::CoreReference core, std::vector<std::byte> binary);
Task<std::optional<Duration>> ping_kept(websocket::CoreReference core);
Task<websocket::CloseStatus> closed_kept(websocket::CoreReference core);
Task<> all_gone(boost::asio::io_context& context);

}  // namespace detail

/// Upgrades a request that an Asio or Beast server has parsed (an http::Request, or what
/// request_of() takes) on its socket. `received` is what it has received behind the request, a
/// buffer sequence: `buffer.data()` of Beast's. A refusal is answered on the socket and logged, and
/// the result empty; Upgrader::check tells beforehand. Throws Error (no_runtime) where the socket's
/// executor is not that of an io_context; what Upgrader::accept throws.
template <typename AnyRequest, typename Protocol, typename Executor, typename ConstBuffers>
[[nodiscard]] std::optional<websocket::Connection> accept(
    const websocket::Upgrader& upgrader, const AnyRequest& request,
    boost::asio::basic_stream_socket<Protocol, Executor> socket, const ConstBuffers& received) {
  auto& context = detail::context_of(boost::asio::any_io_executor{socket.get_executor()});
  std::string bytes(boost::asio::buffer_size(received), '\0');
  boost::asio::buffer_copy(boost::asio::buffer(bytes), received);
  auto stream = adopt(context, std::move(socket));
  if constexpr (std::is_same_v<AnyRequest, http::Request>) {
    return detail::accept_in(context, upgrader, request, std::move(stream), std::move(bytes));
  } else {
    const auto& remote = stream->remote_address();
    return detail::accept_in(context, upgrader, request_of(request, remote), std::move(stream),
                             std::move(bytes));
  }
}
template <typename AnyRequest, typename Protocol, typename Executor>
[[nodiscard]] std::optional<websocket::Connection> accept(
    const websocket::Upgrader& upgrader, const AnyRequest& request,
    boost::asio::basic_stream_socket<Protocol, Executor> socket) {
  return accept(upgrader, request, std::move(socket), boost::asio::const_buffer{});
}

/// Serves a connection that your own accept loop has accepted, by the routes of a server that
/// neither listens nor runs, on the context's thread. It ends before the context. For one context
/// to a server.
void serve(http::Server& server, boost::asio::io_context& context, StreamPointer stream);
template <typename Protocol, typename Executor>
void serve(http::Server& server, boost::asio::basic_stream_socket<Protocol, Executor> socket) {
  auto& context = detail::context_of(boost::asio::any_io_executor{socket.get_executor()});
  serve(server, context, adopt(context, std::move(socket)));
}

// The operations of a Connection with a completion token, for code that is not a Task. Each does
// what the member of that name does, and is cancelled by its slot. The connection may go meanwhile:
// that is its end, as the operation sees it. They cost a little more than in a Task, which
// async_start runs just as well.

/// Completes with void(std::exception_ptr, std::optional<websocket::KeptMessage>): the message owns
/// its bytes; nullopt: the connection has ended. The exception: Error (concurrent_read), Cancelled.
template <typename Token>
auto async_read(websocket::Connection& connection, Token&& token) {
  return async_start(detail::connection_context(connection.core()),
                     detail::read_kept(websocket::CoreReference{connection.core()}),
                     std::forward<Token>(token));
}

/// Completes with void(std::exception_ptr, bool): false, the connection has ended. The message is
/// kept until then. Text must be UTF-8 (Error, invalid_text).
template <typename Token>
auto async_write(websocket::Connection& connection, std::string text, Token&& token) {
  return async_start(
      detail::connection_context(connection.core()),
      detail::write_kept(websocket::CoreReference{connection.core()}, std::move(text)),
      std::forward<Token>(token));
}
template <typename Token>
auto async_write(websocket::Connection& connection, std::vector<std::byte> binary, Token&& token) {
  return async_start(
      detail::connection_context(connection.core()),
      detail::write_kept(websocket::CoreReference{connection.core()}, std::move(binary)),
      std::forward<Token>(token));
}

/// Completes with void(std::exception_ptr, std::optional<Duration>).
template <typename Token>
auto async_ping(websocket::Connection& connection, Token&& token) {
  return async_start(detail::connection_context(connection.core()),
                     detail::ping_kept(websocket::CoreReference{connection.core()}),
                     std::forward<Token>(token));
}

/// Completes with void(std::exception_ptr, websocket::CloseStatus) when the connection has ended,
/// whoever ended it.
template <typename Token>
auto async_closed(websocket::Connection& connection, Token&& token) {
  return async_start(detail::connection_context(connection.core()),
                     detail::closed_kept(websocket::CoreReference{connection.core()}),
                     std::forward<Token>(token));
}

/// Sends a close frame, and completes as async_closed() does.
template <typename Token>
auto async_close(websocket::Connection& connection, websocket::CloseCode code,
                 std::string_view reason, Token&& token) {
  (void)connection.close(code, reason);  // at the call
  return async_closed(connection, std::forward<Token>(token));
}

/// Closes all of Hotline's connections in that context with 1001, as a server's drain does, and
/// refuses new ones with 503. On the context's thread.
void drain(boost::asio::io_context& context);

/// Drains, and completes with void(std::exception_ptr) when the connections have all gone: after at
/// most their Limits::close_grace and 2 s. Then nothing of Hotline keeps the context running.
template <typename Token>
auto async_drain(boost::asio::io_context& context, Token&& token) {
  drain(context);
  return async_start(context, detail::all_gone(context), std::forward<Token>(token));
}

}  // namespace hotline
