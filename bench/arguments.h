#pragma once

#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace hotline::bench {

// `--name` and `--name VALUE`, the last of which counts; what nobody asked for is an error.
class Arguments {
 public:
  Arguments(int count, char** values) : words_(values + 1, values + count) {}

  bool flag(std::string_view name) { return std::erase(words_, name) != 0; }

  std::optional<std::string> value(std::string_view name) {
    std::optional<std::string> result;
    for (auto word = words_.begin(); word != words_.end();) {
      if (*word != name) {
        ++word;
        continue;
      }
      if (word + 1 == words_.end()) throw std::runtime_error(*word + " needs a value");
      result = word[1];
      word = words_.erase(word, word + 2);
    }
    return result;
  }

  template <typename Number>
  Number number(std::string_view name, Number fallback) {
    const auto found = value(name);
    if (!found) return fallback;
    const char* const end = found->data() + found->size();
    Number result{};
    const auto [parsed, error] = std::from_chars(found->data(), end, result);
    if (error != std::errc{} || parsed != end || result < Number{}) {
      throw std::runtime_error(std::string(name) + " wants a number, not '" + *found + "'");
    }
    return result;
  }

  void finish() const {
    if (!words_.empty()) throw std::runtime_error("unknown argument '" + words_.front() + "'");
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace hotline::bench
