#include <hotline/asio_stream.h>

namespace hotline {
namespace detail {

boost::system::error_code asio_code(const std::exception_ptr& exception) noexcept {
  if (!exception) return {};
  try {
    std::rethrow_exception(exception);
  } catch (const Cancelled&) {
    return boost::asio::error::operation_aborted;
  } catch (const Error& error) {
    if (error.code() == Fault::connection_reset) return boost::asio::error::connection_reset;
    if (error.code() == Fault::connection_ended) return boost::asio::error::broken_pipe;
    return error.code();
  } catch (...) {
    return boost::asio::error::fault;
  }
}

}  // namespace detail

namespace websocket {

Task<std::size_t> AsioStream::read(TunnelPointer tunnel, std::span<char> bytes) {
  if (bytes.empty()) co_return 0;
  const auto size = co_await tunnel->read_some(bytes);
  co_return size;
}

Task<std::size_t> AsioStream::write(TunnelPointer tunnel, std::span<const char> bytes) {
  const std::string_view text{bytes.data(), bytes.size()};
  const bool taken = co_await tunnel->write(text);
  if (!taken) throw Error(Fault::connection_ended, "writing");
  co_return bytes.size();
}

}  // namespace websocket
}  // namespace hotline
