#pragma once

#include <string_view>

namespace hotline::tools {

/// What the page is made of: tools/page, embedded by the build (tools/embed.cmake).
extern const std::string_view page_html;  // with "/* style.css */" and "/* scripts */" in it
extern const std::string_view page_style;
extern const std::string_view page_script;
/// In base64, as a Content-Security-Policy has them.
extern const std::string_view page_style_sha256;
extern const std::string_view page_script_sha256;
/// Of all of it: 32 hexadecimal digits.
extern const std::string_view page_version;

}  // namespace hotline::tools
