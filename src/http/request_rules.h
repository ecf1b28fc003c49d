#pragma once

#include <optional>

#include <hotline/http/request.h>

#include "http/head_reader.h"
#include "http/request_builder.h"

namespace hotline::http {

/// The rules for a request whose lines are well-formed, and what its fields say about the
/// connection.
std::optional<Refusal> check_fields(const Request& request, RequestTraits& traits) noexcept;

/// The target in origin-form: its own, or the rest of an absolute-form that names the same host as
/// Host. A refusal where it is neither (nor "*" of OPTIONS).
std::optional<Refusal> check_target(std::string_view method, std::string_view host,
                                    std::string_view& target) noexcept;

}  // namespace hotline::http
