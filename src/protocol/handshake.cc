#include <hotline/protocol/handshake.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/header_tokens.h"

namespace hotline::protocol {
namespace {

// RFC 6455, 1.3.
constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string base64_of(std::span<const unsigned char> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // a NUL is written behind it
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

constexpr bool is_base64(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

// Reads the grammar of RFC 6455, 9.1, from front to back.
class ExtensionReader {
 public:
  explicit ExtensionReader(std::string_view list) noexcept : rest_{list} {}

  // Counts the extensions; false where the list leaves the grammar.
  bool read(std::size_t& count) noexcept {
    do {
      skip_blanks();
      if (rest_.empty() || rest_.front() == ',') continue;  // an empty element
      if (!extension()) return false;
      ++count;
    } while (skip(','));
    return rest_.empty();
  }

 private:
  bool extension() noexcept {
    if (!token()) return false;
    while (skip(';')) {
      if (!parameter()) return false;
    }
    return true;
  }

  bool parameter() noexcept {
    if (!token()) return false;
    if (!skip('=')) return true;
    skip_blanks();
    return !rest_.empty() && rest_.front() == '"' ? quoted_token() : token();
  }

  bool token() noexcept {
    skip_blanks();
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    rest_.remove_prefix(size);
    return size != 0;
  }

  // "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST
  // conform to the 'token' ABNF."
  bool quoted_token() noexcept {
    rest_.remove_prefix(1);
    for (bool empty = true; !rest_.empty(); empty = false) {
      if (rest_.front() == '"') {
        rest_.remove_prefix(1);
        return !empty;
      }
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty() || !is_token_character(rest_.front())) return false;
      rest_.remove_prefix(1);
    }
    return false;
  }

  bool skip(char c) noexcept {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_blanks() noexcept {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }

  std::string_view rest_;
};

}  // namespace

bool valid_key(std::string_view key) noexcept {
  // 16 bytes are 21 characters and a twenty-second for the last two bits.
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.begin() + 22, is_base64) &&
         std::string_view{"AQgw"}.find(key[21]) != std::string_view::npos;
}

std::string key_of(std::span<const unsigned char, 16> random) { return base64_of(random); }

std::string accept_for(std::string_view key) {
  std::string text{key};
  text += guid;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64_of(digest);
}

std::optional<std::vector<std::string_view>> parse_subprotocols(
    std::span<const std::string_view> header_values) {
  std::vector<std::string_view> offered;
  for (const std::string_view value : header_values) {
    ListSplitter elements{value};
    while (const auto element = elements.next()) {
      if (!is_token(*element)) return std::nullopt;
      offered.push_back(*element);
    }
  }
  // Sorted, since a header may hold thousands of them.
  std::vector<std::string_view> sorted = offered;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return std::nullopt;
  return offered;
}

bool valid_extensions(std::span<const std::string_view> header_values) noexcept {
  std::size_t count = 0;
  for (const std::string_view value : header_values) {
    if (!ExtensionReader{value}.read(count)) return false;
  }
  return header_values.empty() || count != 0;
}

}  // namespace hotline::protocol
