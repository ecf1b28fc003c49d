#pragma once

#include <string>
#include <string_view>

namespace hotline {

/// With the usual alphabet and padding (RFC 4648 4).
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace hotline
