#include "tools/redial.h"

#include <algorithm>
#include <chrono>

#include <hotline/base/error.h>
#include <hotline/websocket/dialer.h>

#include "tools/call_ending.h"
#include "tools/units.h"

namespace hotline::tools {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool Redial::may_help(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const websocket::DialRefused& refusal) {
    const int status = refusal.status();
    return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501);
  } catch (const Error& error) {
    if (error.code() == Fault::bad_option || error.code() == Fault::bad_url) return false;
    return ending_of(failure).status == CallEnding::lost;
  } catch (...) {
    return false;
  }
}

bool Redial::may_help(const protocol::CloseStatus& status) noexcept {
  using protocol::CloseCode;
  if (status.closed_by() == protocol::ClosedBy::transport) return true;
  if (status.closed_by() != protocol::ClosedBy::peer) {
    // Nothing was heard any more: see Limits::ping_timeout.
    return status.code() == CloseCode::internal_error;
  }
  const auto code = status.code();
  return code == CloseCode::going_away || code == CloseCode::service_restart ||
         code == CloseCode::try_again_later || code == CloseCode::bad_gateway;
}

Duration Redial::asked_for(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const websocket::DialRefused& refusal) {
    const auto number = parse_count(refusal.header("Retry-After")).value_or(0);
    return seconds(std::min<std::uint64_t>(number, 300));
  } catch (...) {
    return Duration::zero();
  }
}

Duration Redial::next(Duration at_least) noexcept {
  constexpr auto most = milliseconds(30'000);
  const auto wait = std::min(most, milliseconds(500) * (1 << std::min(waits_++, 6U)));
  const auto quarter = std::chrono::duration_cast<Duration>(wait) / 4;
  const auto jitter = static_cast<std::int64_t>(
      entropy_.number() % static_cast<std::uint64_t>(2 * quarter.count() + 1));
  return std::max(at_least, Duration(wait) - quarter + Duration(jitter));
}

}  // namespace hotline::tools
