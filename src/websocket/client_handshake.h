#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hotline/http/response_head.h>
#include <hotline/websocket/dialer.h>

#include "http/url.h"

/// A client's side of the opening handshake (RFC 6455 4.1): what is sent, and what must come back.
namespace hotline::websocket {

/// Throws Error (bad_option) that names the option and the value.
void check_handshake_options(const DialerOptions& options);

/// The head of the request. `foreign`: a redirect has led to another origin, which is not told what
/// was meant for the first one. `cookies`: "a=b; c=d", or "".
std::string request_head(const DialerOptions& options, const http::Url& url, std::string_view key,
                         bool foreign, std::string_view cookies);

/// The response with status 101: gives the index of the subprotocol that was agreed on, or -1.
/// Throws DialRefused (bad_response) that names the header.
int check_switching(const http::ResponseHead& response, int version, std::string_view key,
                    const std::vector<std::string>& subprotocols, const http::Url& url);

}  // namespace hotline::websocket
