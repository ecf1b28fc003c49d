#pragma once

#include <string>
#include <string_view>

namespace hotline::tools {

/// What a shell ("bash", "zsh" or "fish") has to know to complete the program's options, made from
/// their tables; "" for another shell.
std::string completions(std::string_view shell);

}  // namespace hotline::tools
