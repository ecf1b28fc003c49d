#pragma once

// A connection as a stream of Boost.Asio's kind; a bridge like hotline/asio.h, for those who want
// it:
//
//     hotline::websocket::AsioStream stream{std::move(connection)};
//     std::string line;
//     co_await boost::asio::async_read_until(stream, boost::asio::dynamic_buffer(line), '\n',
//     token);

#include <algorithm>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

#include <boost/asio/associator.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <hotline/asio.h>
#include <hotline/websocket/byte_tunnel.h>

namespace hotline {
namespace detail {

boost::system::error_code asio_code(const std::exception_ptr& exception) noexcept;

/// Calls a handler of void(error_code, size_t) with what a Task has come to.
template <typename Handler>
struct TransferHandler {
  Handler handler;
  bool ends_at_zero = false;

  void operator()(const std::exception_ptr& exception, std::size_t size) {
    auto code = asio_code(exception);
    if (!code && size == 0 && ends_at_zero) code = boost::asio::error::eof;
    std::move(handler)(code, size);
  }
};

}  // namespace detail

namespace websocket {

/// What Asio calls an AsyncReadStream and an AsyncWriteStream, over a ByteTunnel: async_read,
/// async_read_until, async_write and others work on it, with any completion token. For the thread
/// of the connection's loop; one read and one write at a time. Messages of either kind are read;
/// each write is a binary message. At the connection's end reads give error::eof, lost ones
/// connection_reset; writes then give broken_pipe. Destroying it closes the connection; operations
/// under way end by that, and their buffers must live until they have.
class AsioStream {
 public:
  using executor_type = boost::asio::io_context::executor_type;

  /// On the connection's loop; throws Error (no_runtime) elsewhere.
  explicit AsioStream(Connection connection, const ReadStreamOptions& options = {})
      : context_(&this_loop_context()),
        tunnel_(std::make_shared<ByteTunnel>(std::move(connection), options)) {}
  AsioStream(AsioStream&&) noexcept = default;
  AsioStream& operator=(AsioStream&&) = delete;
  ~AsioStream() {
    if (tunnel_) static_cast<void>(tunnel_->connection().close());
  }

  executor_type get_executor() const noexcept { return context_->get_executor(); }
  [[nodiscard]] Connection& connection() noexcept { return tunnel_->connection(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [context = context_, tunnel = tunnel_](auto handler, std::span<char> bytes) {
          start(*context, read(tunnel, bytes), std::move(handler), !bytes.empty());
        },
        token, first_of<char>(buffers));
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [context = context_, tunnel = tunnel_](auto handler, std::span<const char> bytes) {
          start(*context, write(tunnel, bytes), std::move(handler), false);
        },
        token, first_of<const char>(buffers));
  }

 private:
  using TunnelPointer = std::shared_ptr<ByteTunnel>;

  template <typename Byte, typename Buffers>
  static std::span<Byte> first_of(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
      if (at->size() > 0) return {static_cast<Byte*>(at->data()), at->size()};
    }
    return {};
  }
  template <typename Handler>
  static void start(boost::asio::io_context& context, Task<std::size_t> task, Handler handler,
                    bool ends_at_zero) {
    hotline::detail::TransferHandler<Handler> transfer{std::move(handler), ends_at_zero};
    hotline::detail::StartTask{}(std::move(transfer), &context, std::move(task));
  }
  static Task<std::size_t> read(TunnelPointer tunnel, std::span<char> bytes);
  static Task<std::size_t> write(TunnelPointer tunnel, std::span<const char> bytes);

  boost::asio::io_context* context_;
  TunnelPointer tunnel_;
};

}  // namespace websocket
}  // namespace hotline

namespace boost::asio {

/// Executor, allocator and cancellation slot are those of the handler within.
template <template <typename, typename> class Associator, typename Handler, typename Default>
struct associator<Associator, hotline::detail::TransferHandler<Handler>, Default>
    : Associator<Handler, Default> {
  static typename Associator<Handler, Default>::type get(
      const hotline::detail::TransferHandler<Handler>& transfer) noexcept {
    return Associator<Handler, Default>::get(transfer.handler);
  }
  static decltype(auto) get(const hotline::detail::TransferHandler<Handler>& transfer,
                            const Default& otherwise) noexcept {
    return Associator<Handler, Default>::get(transfer.handler, otherwise);
  }
};

}  // namespace boost::asio
