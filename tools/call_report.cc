#include "tools/call_report.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "tools/terminal_text.h"

namespace hotline::tools {
namespace {

std::string_view words_for(websocket::DialStep step) {
  switch (step) {
    case websocket::DialStep::name: return "the name was looked up in ";
    case websocket::DialStep::connect: return "connected in ";
    case websocket::DialStep::proxy: return "the proxy let us through in ";
    case websocket::DialStep::tls: return "TLS was agreed on in ";
    case websocket::DialStep::upgrade: return "upgraded in ";
  }
  return "";
}

std::string day(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  std::array<char, 32> text{};
  if (!::gmtime_r(&seconds, &parts)) return "?";
  text[std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts)] = '\0';
  return text.data();
}

std::string payload_note(std::string_view payload) {
  return payload.empty() ? "" : " (" + binary_note(payload).substr(8) + ")";
}

std::string close_note(const protocol::CloseStatus& status) {
  auto note = std::to_string(static_cast<unsigned>(status.code())) + " " +
              std::string(protocol::name(status.code()));
  if (!status.reason().empty()) note += ": " + std::string(status.reason());
  return note;
}

}  // namespace

std::string in_milliseconds(Duration duration) {
  std::array<char, 40> text;
  std::snprintf(text.data(), text.size(), "%.3f ms",
                std::chrono::duration<double, std::milli>(duration).count());
  return text.data();
}

std::string in_seconds(Duration duration) {
  std::array<char, 40> text;
  std::snprintf(text.data(), text.size(), "%.1f s",
                std::chrono::duration<double>(duration).count());
  return text.data();
}

void CallReport::tell(std::string_view line) noexcept {
  try {
    say_(line);
  } catch (...) {  // a line is lost
  }
}

void CallReport::tell_head(std::string_view mark, std::string_view head) noexcept {
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    if (line.empty()) break;
    tell(std::string(mark) + std::string(line));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
  }
}

void CallReport::done(websocket::DialStep step, Duration took) noexcept {
  tell("* " + std::string(words_for(step)) + in_milliseconds(took));
}
void CallReport::request(std::string_view head) noexcept { tell_head("> ", head); }
void CallReport::response(std::string_view head) noexcept { tell_head("< ", head); }
void CallReport::redirect(std::string_view url) noexcept {
  tell("* redirected to " + std::string(url));
}

void CallReport::tell_of(const TlsInfo& tls) {
  tell("* " + tls.version + ", " + tls.cipher + (tls.resumed ? ", resumed" : ""));
  std::string names;
  for (const auto& name : tls.peer.names) names += (names.empty() ? "" : ", ") + name;
  tell("* certificate of " + tls.peer.subject + (names.empty() ? "" : ", for " + names));
  tell("*   issued by " + tls.peer.issuer);
  tell("*   valid from " + day(tls.peer.not_before) + " to " + day(tls.peer.not_after));
  tell("*   SHA-256 " + tls.peer.fingerprint);
}

void CallReport::follow(websocket::Connection& connection) {
  tell("* connected to " + connection.remote_address().to_string());
  if (const auto* tls = connection.tls()) tell_of(*tls);
  if (const auto name = connection.subprotocol(); !name.empty()) {
    tell("* subprotocol " + std::string(name));
  }
  connection.on_ping([this](std::string_view payload) {
    tell("< ping" + payload_note(payload));
    tell("> pong" + payload_note(payload));
  });
  connection.on_pong([this](std::string_view payload) { tell("< pong" + payload_note(payload)); });
  connection.on_close([this](const protocol::CloseStatus& status) {
    const auto note = close_note(status);
    switch (status.closed_by()) {
      case protocol::ClosedBy::us:
        tell("> close " + note);
        tell("< close");
        break;
      case protocol::ClosedBy::peer:
        tell("< close " + note);
        tell("> close");
        break;
      default: tell("* the connection ended without a goodbye"); break;
    }
  });
}

void CallReport::leave(websocket::Connection& connection) noexcept {
  connection.on_ping(nullptr);
  connection.on_pong(nullptr);
  connection.on_close(nullptr);
}

}  // namespace hotline::tools
