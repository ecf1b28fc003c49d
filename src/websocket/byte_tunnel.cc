#include <hotline/websocket/byte_tunnel.h>

#include <algorithm>
#include <utility>

#include <hotline/base/error.h>

namespace hotline::websocket {

ByteTunnel::ByteTunnel(Connection connection, const ReadStreamOptions& options)
    : connection_(std::move(connection)), options_(options) {}

Task<std::size_t> ByteTunnel::read_some(std::span<char> bytes) & {
  while (!piece_) {
    if (!stream_) {
      stream_ = co_await connection_.read_stream(options_);
      if (!stream_) break;
    }
    piece_ = co_await stream_.read();
    given_ = 0;
    if (piece_) continue;
    if (!stream_.is_complete()) throw Error(Fault::connection_reset, "in the middle of a message");
    stream_ = ReadStream{};
  }
  if (!piece_) {
    if (connection_.close_status().closed_by() == ClosedBy::transport) {
      throw Error(Fault::connection_reset, std::string(connection_.close_status().reason()));
    }
    co_return 0;
  }
  const auto rest = piece_->text().substr(given_);
  const auto count = std::min(bytes.size(), rest.size());
  std::copy_n(rest.data(), count, bytes.data());
  given_ += count;
  if (count == rest.size()) piece_.reset();
  co_return count;
}

Task<bool> ByteTunnel::write(std::string_view bytes) & {
  if (bytes.empty()) co_return connection_.is_open();
  const bool taken = co_await connection_.write(std::as_bytes(std::span{bytes}));
  co_return taken;
}

}  // namespace hotline::websocket
