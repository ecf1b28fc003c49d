#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <hotline/base/logger.h>
#include <hotline/http/server.h>
#include <hotline/websocket/upgrader.h>

namespace hotline::tools {

enum class LogFormat { text, json };

/// What `hotline serve` was asked for.
struct ServeOptions {
  ServeOptions() { server.listen = {"127.0.0.1:8080"}; }

  http::ServerOptions server;
  websocket::UpgraderOptions upgrader;
  /// Served below /; empty: none.
  std::string static_directory;
  /// Paired in their order: server.tls.certificates is made of them.
  std::vector<std::string> tls_certificates;
  std::vector<std::string> tls_keys;
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  /// Where /metrics is served on a listener of its own, or "off"; empty: on the others, if all of
  /// them are for this machine only.
  std::string metrics_listen;
  /// Where the configuration file sets an option, "path:line", by the option's name: those that
  /// the command line has not set since.
  std::map<std::string, std::string, std::less<>> in_file;
};

}  // namespace hotline::tools
