#include "tools/tls_reload.h"

#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <exception>
#include <string>

#include "tools/serve.h"

namespace hotline::tools {
namespace {

constexpr timespec period{2, 0};

sigset_t hang_up() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

std::string certificates_of(const http::Server& server) {
  std::string text;
  for (const auto& certificate : server.tls_certificates()) {
    text.append(text.empty() ? "" : "; ").append(certificate);
  }
  return text;
}

void TlsReload::take_signal() noexcept {
  const auto set = hang_up();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

TlsReload::TlsReload(http::Server& server, Logger& log)
    : server_(server), log_(log), thread_([this](const std::stop_token& stop) { watch(stop); }) {}

TlsReload::~TlsReload() {
  thread_.request_stop();
  ::pthread_kill(thread_.native_handle(), SIGHUP);
}

void TlsReload::watch(const std::stop_token& stop) {
  const auto set = hang_up();
  while (!stop.stop_requested()) {
    siginfo_t info{};
    const int signal = ::sigtimedwait(&set, &info, &period);
    if (stop.stop_requested()) return;
    if (signal == SIGHUP && info.si_code == SI_KERNEL) {
      server_.drain();
    } else if (signal == SIGHUP) {
      reload("SIGHUP");
    } else if (errno == EAGAIN && server_.tls_files_changed()) {
      reload("a file has changed");
    }
  }
}

void TlsReload::reload(const char* why) noexcept {
  try {
    server_.reload_tls();
    log_.write(LogLevel::info,
               std::string("certificates read again (") + why + "): " + certificates_of(server_));
  } catch (const std::exception& error) {
    log_.write(LogLevel::error, std::string("the certificates stay what they were (") + why +
                                    "): " + in_words_of_the_command_line(error.what()));
  }
}

}  // namespace hotline::tools
