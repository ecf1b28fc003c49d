#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hotline/net/address.h>
#include <hotline/net/tls_info.h>

namespace hotline::http {

/// One header field, as it came: the name in the sender's spelling, the value without surrounding
/// blanks.
struct Field {
  std::string_view name;
  std::string_view value;
};

/// What somebody else's server has parsed of a request, for websocket::Upgrader::accept. All views
/// outlive the Request that is made of it.
struct RequestHead {
  std::string_view method = "GET";
  std::string_view target = "/";
  int version = 11;
  std::vector<Field> fields = {};
  Address remote = {};
  Address local = {};
  /// Where a proxy stands before that server: the host that the client sees, if it is not that of
  /// the field Host, and whether it speaks TLS.
  std::string_view host = {};
  bool secure = false;
};

/// The head of a request that has passed the request rules (if it was parsed here). All views are
/// into its own memory, which lives until the exchange is answered, upgraded, hijacked or
/// destroyed: copy what is needed longer. Not thread-safe; read-only.
class Request {
 public:
  Request() = default;
  explicit Request(RequestHead head);

  std::string_view method() const noexcept { return method_; }
  /// As sent, in origin-form: "/chat/blue?since=3". (The rest of an absolute-form; "*" of OPTIONS.)
  std::string_view target() const noexcept { return target_; }
  /// The target before '?', still percent-encoded: for looking at, and for logs. Where it matters
  /// which segment is which ("%2F" is no slash), take parameter(). What a route serves has no
  /// //, /./ and /../ in it, but for CONNECT.
  std::string_view path() const noexcept { return target_.substr(0, target_.find('?')); }
  /// The target behind '?', or "".
  std::string_view query() const noexcept;
  /// The first field of that name in the query ("since" in "/chat?since=3"), percent-decoded;
  /// nullopt if there is none. Query has more of it.
  std::optional<std::string> query_parameter(std::string_view name) const;
  /// 10 or 11.
  int version() const noexcept { return version_; }

  /// The first field of that name, compared without case, or "".
  std::string_view header(std::string_view name) const noexcept;
  /// How many fields have that name.
  std::size_t header_count(std::string_view name) const noexcept;
  std::span<const Field> headers() const noexcept { return fields_; }
  /// The bytes all this was read from, as they were received: from the method to the empty line
  /// that ends the head, inclusive. (One that stood before the method is left out.)
  std::string_view head() const noexcept { return head_; }
  /// Whether `token` is an element of the comma-separated lists in all fields of that name (RFC
  /// 9110 5.6.1), compared without case.
  bool header_has_token(std::string_view name, std::string_view token) const noexcept;

  /// A wildcard of the route: "room" in "/chat/{room}", percent-decoded; "" if there is none. What
  /// was encoded may be any byte: a slash, a NUL, dots.
  std::string_view parameter(std::string_view name) const noexcept;
  /// What the end of the route's pattern stands for, a "/" or "{name...}", still percent-encoded;
  /// "" if nothing.
  std::string_view rest() const noexcept { return rest_; }
  /// The pattern of the route that serves this, as given to Server::handle; "" if there is none.
  std::string_view pattern() const noexcept { return pattern_; }

  /// Whether the client asks to talk WebSocket: `websocket` in Upgrade, `upgrade` in Connection.
  bool is_websocket_upgrade() const noexcept;
  /// The subprotocols that the client offers, most wanted first: the elements of all its
  /// Sec-WebSocket-Protocol fields. Views as of all else.
  std::vector<std::string_view> websocket_subprotocols() const;

  /// Whom the connection comes from: the other end of the socket, or what PROXY protocol named.
  const Address& remote_address() const noexcept { return remote_; }
  const Address& local_address() const noexcept { return local_; }

  /// Who asked: remote_address(), or, where that is a trusted proxy
  /// (ServerOptions::trusted_proxies), the client that it names; its port is 0 where the proxy does
  /// not tell it. Forwarded (RFC 7239) is looked at, else X-Forwarded-For: from the right, past
  /// further trusted proxies, to the first address that is none. What is malformed or hidden there
  /// ends the search at the proxy that said so. Where both are present and name different clients,
  /// neither is believed.
  const Address& client_address() const noexcept { return client_; }
  /// Host as the client sent it, with the port if it has one; what a trusted proxy says in
  /// Forwarded or X-Forwarded-Host goes before the field Host. "" where HTTP/1.0 sent none.
  std::string_view host() const noexcept { return host_; }
  /// Whether the client speaks TLS, with this server or with a trusted proxy that says so.
  bool is_secure() const noexcept { return secure_; }
  /// "https" or "http".
  std::string_view scheme() const noexcept { return secure_ ? "https" : "http"; }
  /// What TLS with this server came to, and whose certificate the client has shown; null without
  /// (a proxy in front that speaks TLS is another matter).
  const TlsInfo* tls() const noexcept { return tls_.get(); }

 private:
  friend class RequestBuilder;  // src/http

  std::string_view head_;
  std::string_view method_;
  std::string_view target_;
  int version_ = 11;
  std::vector<Field> fields_;
  std::vector<std::pair<std::string_view, std::string_view>> parameters_;
  std::string_view rest_;
  std::string_view pattern_;
  std::string_view host_;
  bool secure_ = false;
  std::shared_ptr<const TlsInfo> tls_;
  Address remote_;
  Address local_;
  Address client_;
};

}  // namespace hotline::http
