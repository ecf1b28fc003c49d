#include "tools/json_text.h"

namespace hotline::tools {
namespace {

constexpr std::size_t deepest = 1000;
// A stranger's short elements, each behind a long indentation, would become a thousand times as
// much.
constexpr std::size_t growth = 8;
constexpr std::size_t free_growth = std::size_t{16} << 20;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Reads tokens and writes them down again; keeps its own stack, so that depth costs none of ours.
class Indenter {
 public:
  Indenter(std::string_view text, const JsonColours& colours)
      : rest_(text), colours_(colours), most_(growth * text.size() + free_growth) {}

  std::optional<std::string> operator()() {
    bool complete = value();
    while (complete && !open_.empty()) complete = next_element();
    skip_space();
    if (!complete || !rest_.empty()) return std::nullopt;
    return std::move(out_);
  }

 private:
  void skip_space() {
    while (!rest_.empty() && std::string_view{" \t\r\n"}.find(rest_.front()) != rest_.npos) {
      rest_.remove_prefix(1);
    }
  }
  bool take(char c) {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void new_line() { out_.append(1, '\n').append(2 * open_.size(), ' '); }
  bool put(std::size_t length, std::string_view colour) {
    if (length == 0) return false;
    const auto token = rest_.substr(0, length);
    out_.append(colour);
    if (colours_.token) {
      out_ += colours_.token(token);
    } else {
      out_ += token;
    }
    out_ += colours_.end;
    rest_.remove_prefix(length);
    return true;
  }

  // A whole scalar, or the beginning of an array or object.
  bool value() {
    skip_space();
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '"': return put(text_length(), colours_.text);
      case '{': return open('{', '}');
      case '[': return open('[', ']');
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return put(number_length(), colours_.number);
    }
  }
  bool word(std::string_view expected) {
    return rest_.starts_with(expected) && put(expected.size(), colours_.word);
  }
  bool open(char begin, char end) {
    rest_.remove_prefix(1);
    out_ += begin;
    if (take(end)) {
      out_ += end;
      return true;
    }
    if (open_.size() == deepest) return false;
    open_ += end;
    new_line();
    return element();
  }
  bool element() {
    if (open_.back() == ']') return value();
    skip_space();
    if (!put(text_length(), colours_.key) || !take(':')) return false;
    out_ += ": ";
    return value();
  }
  // What follows an element: another, or the end of what it is in.
  bool next_element() {
    if (out_.size() > most_) return false;
    if (take(',')) {
      out_ += ',';
      new_line();
      return element();
    }
    const char end = open_.back();
    if (!take(end)) return false;
    open_.pop_back();
    new_line();
    out_ += end;
    return true;
  }

  // The length of the token that begins here; 0: there is none.
  std::size_t text_length() const {
    if (!rest_.starts_with('"')) return 0;
    std::size_t at = 1;
    while (at < rest_.size()) {
      const char c = rest_[at];
      if (c == '"') return at + 1;
      if (static_cast<unsigned char>(c) < 0x20) return 0;
      ++at;
      if (c != '\\') continue;
      if (at == rest_.size()) return 0;
      const char escaped = rest_[at++];
      if (escaped == 'u') {
        for (int i = 0; i < 4; ++i, ++at) {
          if (at >= rest_.size() || !is_hex(rest_[at])) return 0;
        }
      } else if (std::string_view{"\"\\/bfnrt"}.find(escaped) == std::string_view::npos) {
        return 0;
      }
    }
    return 0;
  }
  std::size_t digits(std::size_t at) const {
    std::size_t count = 0;
    while (at + count < rest_.size() && is_digit(rest_[at + count])) ++count;
    return count;
  }
  std::size_t number_length() const {
    std::size_t at = rest_.starts_with('-') ? 1 : 0;
    const auto whole = digits(at);
    if (whole == 0 || (whole > 1 && rest_[at] == '0')) return 0;
    at += whole;
    if (at < rest_.size() && rest_[at] == '.') {
      const auto fraction = digits(at + 1);
      if (fraction == 0) return 0;
      at += 1 + fraction;
    }
    if (at < rest_.size() && (rest_[at] == 'e' || rest_[at] == 'E')) {
      ++at;
      if (at < rest_.size() && (rest_[at] == '+' || rest_[at] == '-')) ++at;
      const auto exponent = digits(at);
      if (exponent == 0) return 0;
      at += exponent;
    }
    return at;
  }

  std::string_view rest_;
  const JsonColours& colours_;
  const std::size_t most_;  // bytes written
  std::string open_;        // the ends that are still to come
  std::string out_;
};

}  // namespace

std::optional<std::string> indented_json(std::string_view text, const JsonColours& colours) {
  return Indenter{text, colours}();
}

}  // namespace hotline::tools
