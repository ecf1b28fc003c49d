#pragma once

#include <string_view>

namespace hotline::http {

/// The media type that goes with a file's extension, compared without case; of one that is not
/// known, "application/octet-stream".
std::string_view content_type_of(std::string_view file_name) noexcept;

}  // namespace hotline::http
