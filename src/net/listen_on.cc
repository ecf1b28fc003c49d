// What ServerOptions::listen means.
#include <charconv>
#include <optional>

#include <hotline/base/error.h>

#include "net/listener.h"

namespace hotline {
namespace {

using Listeners = std::vector<std::unique_ptr<Listener>>;

constexpr std::string_view unix_prefix = "unix:";

[[noreturn]] void reject(std::string_view place, const char* why) {
  throw Error(Fault::bad_option, "listen: \"" + escaped(place) + "\": " + why);
}

std::uint16_t port_of(std::string_view place, std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    reject(place, "the port is a number from 0 to 65535");
  }
  return port;
}

// The same port on both; one of the two is enough, where the machine lacks the other.
void listen_on_localhost(LoopGroup& loops, std::uint16_t port, const Listener::Accepted& accepted,
                         Listeners& listeners) {
  const auto before = listeners.size();
  const auto try_on = [&](const char* address, std::uint16_t number) -> std::error_code {
    try {
      listeners.push_back(
          std::make_unique<Listener>(loops, *Address::parse(address, number), accepted));
      return {};
    } catch (const Error& error) {
      if (error.code() != std::errc::address_not_available &&
          error.code() != std::errc::address_family_not_supported &&
          error.code() != std::errc::address_in_use) {
        throw;
      }
      return error.code();
    }
  };
  for (int attempt = 0;; ++attempt) {
    const auto first = try_on("127.0.0.1", port);
    const auto chosen = first ? port : listeners.back()->port();
    const auto second = try_on("::1", chosen);
    const bool taken = first == std::errc::address_in_use || second == std::errc::address_in_use;
    if (!taken && (!first || !second)) return;
    listeners.resize(before);
    // A port that is free in one family only is the system's choice, not the caller's: once more.
    if (port == 0 && taken && attempt < 16) continue;
    throw Error(first == std::errc::address_in_use ? first : second,
                "cannot listen on localhost:" + std::to_string(port) +
                    (taken ? " (is another server running there?)" : ""));
  }
}

}  // namespace

std::vector<std::unique_ptr<Listener>> listen_on(LoopGroup& loops,
                                                 const std::vector<std::string>& places,
                                                 const Listener::Accepted& accepted) {
  Listeners listeners;
  for (const auto& text : places) {
    const std::string_view place{text};
    if (place == "systemd") {
      for (auto& socket : systemd_sockets()) {
        listeners.push_back(std::make_unique<Listener>(loops, std::move(socket), accepted));
      }
      continue;
    }
    if (place.starts_with(unix_prefix)) {
      listeners.push_back(std::make_unique<Listener>(
          loops, std::make_unique<UnixSocket>(place.substr(unix_prefix.size())), accepted));
      continue;
    }
    const auto colon = place.rfind(':');
    if (colon == std::string_view::npos) {
      reject(place, "neither ADDRESS:PORT, unix:PATH nor systemd");
    }
    auto host = place.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    const bool has_colon = host.find(':') != std::string_view::npos;
    if (has_colon && !bracketed) reject(place, "an IPv6 address stands in brackets");
    const auto port = port_of(place, place.substr(colon + 1));
    if (host == "localhost" && !bracketed) {
      listen_on_localhost(loops, port, accepted, listeners);
      continue;
    }
    const auto address = Address::parse(host, port);
    if (!address || bracketed != has_colon) {
      reject(place, "neither an IP address nor localhost; other names are not looked up");
    }
    listeners.push_back(std::make_unique<Listener>(loops, *address, accepted));
  }
  return listeners;
}

}  // namespace hotline
