#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hotline::tools {

/// What `hotline call` was asked for.
struct CallOptions {
  /// How often it pings, in place of talking.
  struct Pings {
    std::uint64_t count = 0;  // 0: until it is stopped
    std::chrono::milliseconds interval{1000};
  };

  /// As the user wrote it: see complete_url().
  std::string url;

  std::vector<std::pair<std::string, std::string>> headers;
  std::string origin;
  std::vector<std::string> subprotocols;
  /// "name:password"
  std::string user;

  bool binary = false;
  bool hex = false;
  bool json = false;
  bool once = false;
  /// Ends after so many messages; 0: after none.
  std::uint64_t count = 0;
  std::chrono::milliseconds linger{0};
  std::string output;
  std::uint64_t message_limit = std::uint64_t{64} << 20;
  std::optional<Pings> pings;

  std::string connect_to;
  /// A URL; "none"; "": the environment's.
  std::string proxy;
  std::chrono::milliseconds timeout{30'000};
  bool reconnect = false;

  std::string ca;
  std::string certificate;
  std::string key;
  bool insecure = false;

  bool verbose = false;
  /// The Autobahn Testsuite's fuzzing server, whose cases are to be run.
  std::string autobahn;
};

}  // namespace hotline::tools
