#include "tools/access_log.h"

#include <string>

namespace hotline::tools {
namespace {

std::string_view name(http::RequestEnd end) {
  switch (end) {
    case http::RequestEnd::answered: return "answered";
    case http::RequestEnd::refused: return "refused";
    case http::RequestEnd::cut: return "cut";
    case http::RequestEnd::upgraded: return "upgraded";
    case http::RequestEnd::hijacked: return "hijacked";
    case http::RequestEnd::abandoned: return "abandoned";
  }
  return "";
}

std::string_view name(protocol::ClosedBy by) {
  switch (by) {
    case protocol::ClosedBy::nobody: return "nobody";
    case protocol::ClosedBy::peer: return "client";
    case protocol::ClosedBy::us: return "server";
    case protocol::ClosedBy::transport: return "transport";
  }
  return "";
}

void add_client(LogLine& line, const Address& client, const Address& remote) {
  line.add("client", client.to_string());
  if (client != remote) line.add("proxy", remote.to_string());
}

}  // namespace

void AccessLog::request_ended(const http::RequestRecord& record) noexcept {
  if (!enabled()) return;
  LogLine line{log_->format(), "request"};
  const auto* request = record.request;
  add_client(line, request ? request->client_address() : record.remote, record.remote);
  if (request) {
    line.add("method", record.method)
        .add("target", record.target)
        .add("version", std::string_view(record.version == 10 ? "1.0" : "1.1"));
  }
  line.add("status", static_cast<std::uint64_t>(record.status))
      .add("end", name(record.end))
      .add("bytes_received", record.request_bytes)
      .add("bytes_sent", record.response_bytes)
      .add("seconds", record.duration);
  if (!record.reason.empty()) line.add("reason", record.reason);
  if (request) {
    if (const auto agent = request->header("User-Agent"); !agent.empty()) line.add("agent", agent);
  }
  log_->event(line);
}

void AccessLog::ended(const websocket::ConnectionRecord& record) noexcept {
  if (!enabled()) return;
  LogLine line{log_->format(), "connection"};
  const auto& facts = record.facts;
  add_client(line, facts.client_address, facts.remote_address);
  line.add("target", facts.target);
  if (!facts.subprotocol.empty()) line.add("subprotocol", facts.subprotocol);
  line.add("seconds", record.duration)
      .add("messages_received", record.messages_received)
      .add("bytes_received", record.bytes_received)
      .add("messages_sent", record.messages_sent)
      .add("bytes_sent", record.bytes_sent)
      .add("code", static_cast<std::uint64_t>(record.status.code()))
      .add("meaning", protocol::name(record.status.code()))
      .add("closed_by", name(record.status.closed_by()))
      .add("reason", record.status.reason());
  log_->event(line);
}

}  // namespace hotline::tools
