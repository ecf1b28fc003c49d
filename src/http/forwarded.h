#pragma once

#include <string_view>

#include <hotline/http/request.h>

#include "net/network.h"

namespace hotline::http {

/// A request as its client sent it, before proxies passed it on.
struct ClientView {
  Address client;
  std::string_view host;  // into the request's memory
  bool secure = false;
};

/// What trusted proxies say about `request`, whose connection comes from one of them; as `direct`
/// has it wherever they say nothing that can be believed. See Request::client_address().
///
/// Lists are read from the right, where the nearest proxy wrote: what a client made up on the left
/// of them is never looked at.
ClientView forwarded_view(const Request& request, const ClientView& direct,
                          const TrustedPeers& trusted);

}  // namespace hotline::http
