#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <hotline/net/tls_info.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/dialer.h>

namespace hotline::tools {

/// "0.214 ms"
std::string in_milliseconds(Duration duration);

/// "0.8 s"
std::string in_seconds(Duration duration);

/// What `--verbose` tells: both handshakes, how long each step took, control frames. Everything
/// goes to `say`, in lines.
class CallReport final : public websocket::DialObserver {
 public:
  using Say = std::function<void(std::string_view)>;
  explicit CallReport(Say say) : say_(std::move(say)) {}

  void done(websocket::DialStep step, Duration took) noexcept override;
  void request(std::string_view head) noexcept override;
  void response(std::string_view head) noexcept override;
  void redirect(std::string_view url) noexcept override;
  /// A ping goes out.
  void pinging() noexcept { tell("> ping"); }
  /// Who is there, and from now on its control frames. The report lives until leave().
  void follow(websocket::Connection& connection);
  /// Nothing more of it is told.
  static void leave(websocket::Connection& connection) noexcept;

 private:
  void tell(std::string_view line) noexcept;
  void tell_head(std::string_view mark, std::string_view head) noexcept;
  void tell_of(const TlsInfo& tls);

  const Say say_;
};

}  // namespace hotline::tools
