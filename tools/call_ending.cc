#include "tools/call_ending.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <hotline/base/error.h>
#include <hotline/http/proxy_refused.h>
#include <hotline/websocket/dialer.h>

#include "tools/option_table.h"
#include "tools/terminal_text.h"

namespace hotline::tools {
namespace {

using protocol::CloseCode;
using protocol::ClosedBy;

// What a stranger wrote, harmless and on one line.
std::string plain(std::string_view text) {
  auto line = for_terminal(text.substr(0, 300));
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string first_line(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  text.remove_prefix(begin);
  return plain(text.substr(0, text.find_first_of("\r\n")));
}

// The library speaks of its own options, and adds in general what is wrong with a value.
std::string in_words_of_the_command_line(std::string what, const std::error_code& code) {
  const auto tail = ": " + code.message();
  if (what.size() > tail.size() && what.ends_with(tail)) what.resize(what.size() - tail.size());
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"connect_to: ", "--connect-to: "},
      {"headers: ", "--header: "},
      {"origin: ", "--origin: "},
      {"subprotocols: ", "--subprotocol: "},
      {"proxy: ", "--proxy: "},
      {"ca_file: ", "--ca: "},
      {"certificate_file: ", "--cert: "},
      {"key_file: ", "--key: "},
      {"limits.message_size: ", "--message-limit: "},
      {"timeout: ", "--timeout: "}};
  for (std::string_view within : {"", "tls.", "proxy."}) {
    for (const auto& [own, flag] : names) {
      const auto name = std::string(within) + std::string(own);
      if (what.starts_with(name)) return what.replace(0, name.size(), flag);
    }
  }
  return what;
}

std::string hint_for(int status) {
  switch (status) {
    case 401: return " (--user NAME:PASSWORD, or a --header)";
    case 403: return " (--origin, --user or a --header, perhaps)";
    case 404: return " (is the path right?)";
    case 407: return " (--proxy http://NAME:PASSWORD@HOST:PORT)";
    default: return "";
  }
}

CallEnding ending_of(const websocket::DialRefused& refusal) {
  if (refusal.status() == 101) {
    return {CallEnding::failed, "the server's handshake is wrong: " + std::string(refusal.what())};
  }
  std::string sentence = "the server refuses: " + std::to_string(refusal.status());
  if (const auto& reason = refusal.response().reason; !reason.empty()) {
    sentence += " " + plain(reason);
  }
  // Many say the status once more, and some nothing else.
  const auto status = std::to_string(refusal.status());
  const auto again = status + " " + plain(refusal.response().reason) + ": ";
  auto line = first_line(refusal.body());
  if (line.starts_with(again)) line.erase(0, again.size());
  if (!line.empty() && !line.starts_with(status)) sentence += ": " + line;
  if (const auto place = refusal.header("Location"); !place.empty()) {
    sentence += "; it points to " + plain(place);
  }
  return {CallEnding::refused, sentence + hint_for(refusal.status())};
}

CallEnding ending_of(const Error& error) {
  const auto& code = error.code();
  const std::string what = error.what();
  if (code == Fault::bad_option || code == Fault::bad_url)
    throw UsageError(in_words_of_the_command_line(what, code));
  if (error.is(Condition::certificate_rejected)) {
    return {CallEnding::not_believed,
            what + " (--ca FILE says whom to believe, --insecure believes anybody)"};
  }
  if (code == std::errc::connection_refused) {
    return {CallEnding::lost, what + ": does the server run, on that port?"};
  }
  // The first bytes were no TLS.
  if (code == Fault::tls_failed && what.find("wrong version number") != std::string::npos) {
    return {CallEnding::failed, what + " (does the server speak TLS there? ws:// does without)"};
  }
  if (error.is(Condition::unreachable) || error.is(Condition::timed_out) ||
      error.is(Condition::connection_lost) || code.category() == std::system_category() ||
      code.category() == std::generic_category()) {
    return {CallEnding::lost, what};
  }
  return {CallEnding::failed, what};
}

}  // namespace

std::string in_words(const protocol::CloseStatus& status) {
  auto words = std::to_string(static_cast<unsigned>(status.code())) + " (" +
               std::string(protocol::meaning(status.code())) + ")";
  if (!status.reason().empty()) words += ": " + plain(status.reason());
  return words;
}

bool may_come_back(const protocol::CloseStatus& status) noexcept {
  switch (status.closed_by()) {
    case ClosedBy::nobody: return false;
    case ClosedBy::transport: return true;
    // It was not heard of any more: see Limits::ping_timeout.
    case ClosedBy::us: return status.code() == CloseCode::internal_error;
    case ClosedBy::peer: break;
  }
  const auto code = status.code();
  return code == CloseCode::going_away || code == CloseCode::service_restart ||
         code == CloseCode::try_again_later || code == CloseCode::bad_gateway;
}

CallEnding ending_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const UsageError&) {
    throw;
  } catch (const websocket::DialRefused& refusal) {
    return ending_of(refusal);
  } catch (const http::ProxyRefused& refusal) {
    return {CallEnding::lost, refusal.what() + (refusal.status() == 407 ? hint_for(407) : "")};
  } catch (const Error& error) {
    return ending_of(error);
  } catch (const std::exception& error) {
    return {CallEnding::failed, error.what()};
  }
}

CallEnding ending_of(const protocol::CloseStatus& status, bool finished) {
  if (status.closed_by() == ClosedBy::transport) {
    // Many servers hang up without the last goodbye.
    if (finished) return {};
    std::string sentence = "the connection is lost";
    if (!status.reason().empty()) sentence += ": " + plain(status.reason());
    return {CallEnding::lost, sentence};
  }
  switch (status.code()) {
    case CloseCode::normal:
    case CloseCode::going_away:
    case CloseCode::no_status: return {};
    default: break;
  }
  if (status.closed_by() == ClosedBy::us && status.code() == CloseCode::internal_error) {
    return {CallEnding::lost, "the connection is lost: " + plain(status.reason())};
  }
  if (status.closed_by() == ClosedBy::us) {
    return {CallEnding::failed, "we had to hang up: " + in_words(status)};
  }
  return {CallEnding::failed, "the server has hung up: " + in_words(status)};
}

}  // namespace hotline::tools
