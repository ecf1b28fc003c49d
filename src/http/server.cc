#include <hotline/http/server.h>

#include <exception>
#include <string>
#include <utility>

#include "http/server_core.h"

namespace hotline::http {

Server::Server(ServerOptions options) : core_(std::make_unique<ServerCore>(std::move(options))) {}

Server::~Server() = default;

void Server::handle(std::string_view pattern, Handler handler) {
  core_->handle(pattern, std::move(handler));
}

void Server::use(Middleware middleware) { core_->use(std::move(middleware)); }

void Server::listen() { core_->listen(); }

std::uint16_t Server::port() const noexcept { return core_->port(); }

std::vector<std::string> Server::addresses() const { return core_->addresses(); }

int Server::run() {
  try {
    core_->run();
    return 0;
  } catch (const std::exception& error) {
    core_->logger().write(LogLevel::error, error.what());
    return 1;
  }
}

void Server::reload_tls() {
  if (auto* tls = core_->tls()) tls->reload();
}

bool Server::tls_files_changed() const {
  auto* tls = core_->tls();
  return tls && tls->files_changed();
}

std::vector<std::string> Server::tls_certificates() const {
  auto* tls = core_->tls();
  return tls ? tls->certificates() : std::vector<std::string>{};
}

std::size_t Server::backlog() const noexcept { return core_->backlog(); }

void Server::on_each_loop(std::function<void()> function) {
  core_->on_each_loop(std::move(function));
}

void Server::drain() { core_->drain(); }

void Server::stop() { core_->stop(); }

void Server::wait() const { core_->end()->wait(); }

bool Server::wait_for(std::chrono::milliseconds time) const { return core_->end()->wait_for(time); }

Task<> Server::ended() const { return ServerEnd::awaited(core_->end()); }

}  // namespace hotline::http
