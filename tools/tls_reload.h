#pragma once

#include <thread>

#include <hotline/base/logger.h>
#include <hotline/http/server.h>

namespace hotline::tools {

/// Has a server read its certificates again on SIGHUP, and when their files change (looked at every
/// two seconds). A terminal that hangs up drains the server, as other programs end then. Has a
/// thread of its own.
class TlsReload {
 public:
  /// Keeps SIGHUP from ending the program: before any thread is started.
  static void take_signal() noexcept;

  /// Both outlive it.
  TlsReload(http::Server& server, Logger& log);
  TlsReload(const TlsReload&) = delete;
  TlsReload& operator=(const TlsReload&) = delete;
  ~TlsReload();

 private:
  void watch(const std::stop_token& stop);
  void reload(const char* why) noexcept;

  http::Server& server_;
  Logger& log_;
  std::jthread thread_;
};

/// What the log says about the certificates of a server.
std::string certificates_of(const http::Server& server);

}  // namespace hotline::tools
