#include <hotline/http/static_files.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <hotline/base/error.h>

#include "http/conditions.h"
#include "http/content_type.h"
#include "http/http_date.h"
#include "http/open_beneath.h"
#include "http/path.h"
#include "http/static_directory.h"

namespace hotline::http {
namespace {

constexpr std::size_t piece = 64 * 1024;

Response plain(Status status) {
  auto text = std::to_string(static_cast<int>(status));
  text.append(" ").append(reason_phrase(status)).append("\n");
  return {status, std::move(text)};
}

[[noreturn]] void fail(int error, const std::string& name) {
  throw Error(std::error_code(error, std::system_category()), escaped(name));
}

// What a file that could not be opened is answered with; throws what is the server's own trouble.
Response failure(int error, const std::string& name) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:  // it leads out of the root
    case ENAMETOOLONG:
    case ENXIO:  // a socket, or a device that is not there
    case ENODEV: return plain(Status::not_found);
    case EACCES:
    case EPERM: return plain(Status::forbidden);
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return plain(Status::service_unavailable);
    default: fail(error, name);
  }
}

void append_hex(std::string& text, std::uint64_t number) {
  char digits[16];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr);
}

Validators validators_of(const struct stat& status) {
  Validators result;
  result.modified = status.st_mtim.tv_sec;
  result.etag = "\"";
  append_hex(result.etag, static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000 +
                              static_cast<std::uint64_t>(status.st_mtim.tv_nsec));
  result.etag += '-';
  append_hex(result.etag, static_cast<std::uint64_t>(status.st_size));
  result.etag += '-';
  append_hex(result.etag, status.st_ino);
  result.etag += '"';
  return result;
}

std::string content_range(const std::string& range, std::uint64_t size) {
  return "bytes " + range + "/" + std::to_string(size);
}

// Where the directory is, wherever the program goes.
std::string absolute(const std::string& path) {
  if (path.empty()) throw Error(Fault::bad_option, "directory: the path is empty");
  std::error_code error;
  auto result = std::filesystem::absolute(path, error).string();
  if (error) throw Error(error, escaped(path));
  return result;
}

}  // namespace

// What a request has come to: an answer, and perhaps bytes of a file for its body.
struct StaticDirectory::Answer {
  Response response;
  std::string name;
  OpenFile file;
  ByteRange range;  // of the body
};

StaticDirectory::StaticDirectory(const std::string& path, StaticOptions options, Beneath how)
    : root_(absolute(path)), options_(std::move(options)), how_(how) {
  if (options_.index.find('/') != std::string::npos || options_.index == "." ||
      options_.index == ".." || options_.index.find('\0') != std::string::npos) {
    throw Error(Fault::bad_option,
                "index: \"" + escaped(options_.index) + "\" is not the name of a file");
  }
  Response{Status::ok}.add("Cache-Control", options_.cache_control);  // throws what is wrong
  const auto root = open_beneath(root_, ".", how_);
  if (!root.is_open()) fail(root.error(), path);
}

// The name below the root; nullopt: there cannot be such a file.
std::optional<std::string> StaticDirectory::file_name(std::string_view rest) const {
  std::string name;
  while (!rest.empty()) {
    const auto segment = decoded(rest.substr(0, rest.find('/')));
    rest.remove_prefix(std::min(rest.find('/'), rest.size()));
    if (segment.empty() || segment == "." || segment == ".." ||
        (segment.front() == '.' && !options_.dotfiles) ||
        segment.find_first_of(std::string_view{"/\0", 2}) != std::string::npos) {
      return std::nullopt;
    }
    name += segment;
    if (!rest.empty()) {
      name += '/';
      rest.remove_prefix(1);
    }
  }
  return name;
}

StaticDirectory::Answer StaticDirectory::answer(const Request& request) const {
  if (request.method() != "GET" && request.method() != "HEAD") {
    auto response = plain(Status::method_not_allowed);
    response.add("Allow", "GET, HEAD");
    return {std::move(response), {}, {}, {}};
  }
  auto name = file_name(request.rest());
  if (!name) return {plain(Status::not_found), {}, {}, {}};
  const bool asks_index = name->empty() || name->ends_with('/');
  if (asks_index) {
    if (options_.index.empty()) return {plain(Status::not_found), {}, {}, {}};
    *name += options_.index;
  }
  auto file = open_beneath(root_, *name, how_);
  if (!file.is_open()) return {failure(file.error(), *name), {}, {}, {}};
  if (file.is_regular()) return answer(request, std::move(*name), std::move(file));
  if (file.is_directory() && !asks_index && !options_.index.empty() &&
      open_beneath(root_, *name + "/" + options_.index, how_).is_regular()) {
    auto response = plain(Status::moved_permanently);
    auto location = encoded_for_location(request.path()) + "/";
    location.append(request.target().substr(request.path().size()));
    response.add("Location", location);
    return {std::move(response), {}, {}, {}};
  }
  return {plain(Status::not_found), {}, {}, {}};
}

StaticDirectory::Answer StaticDirectory::answer(const Request& request, std::string name,
                                                OpenFile file) const {
  const auto size = static_cast<std::uint64_t>(file.status().st_size);
  const auto validators = validators_of(file.status());
  const auto verdict = judge(request, validators);
  if (verdict == Verdict::precondition_failed) {
    return {plain(Status::precondition_failed), {}, {}, {}};
  }
  const auto wanted = wanted_range(request, validators, size);
  if (verdict == Verdict::proceed && wanted.kind == WantedRange::Kind::unsatisfiable) {
    auto response = plain(Status::range_not_satisfiable);
    response.add("Content-Range", content_range("*", size));
    return {std::move(response), {}, {}, {}};
  }
  const bool part = wanted.kind == WantedRange::Kind::part;
  Response response{verdict == Verdict::not_modified ? Status::not_modified
                    : part                           ? Status::partial_content
                                                     : Status::ok};
  response.add("ETag", validators.etag);
  // Never later than Date (RFC 9110 8.8.2.1).
  response.add("Last-Modified",
               format_http_date(std::min(validators.modified, std::time(nullptr))));
  if (!options_.cache_control.empty()) response.add("Cache-Control", options_.cache_control);
  if (verdict == Verdict::not_modified) return {std::move(response), {}, {}, {}};
  response.add("Accept-Ranges", "bytes");
  response.add("Content-Type", content_type_of(name));
  response.add("X-Content-Type-Options", "nosniff");
  const auto range = part ? wanted.range : ByteRange{0, size};
  if (part) {
    response.add("Content-Range", content_range(std::to_string(range.first) + "-" +
                                                    std::to_string(range.first + range.length - 1),
                                                size));
  }
  response.content_length(range.length);
  if (request.method() == "HEAD") return {std::move(response), {}, {}, {}};
  return {std::move(response), std::move(name), std::move(file), range};
}

Task<> StaticDirectory::serve(Exchange exchange) const {
  auto found = answer(exchange.request());
  if (!found.file.is_open()) co_return co_await exchange.respond(found.response);
  auto stream = exchange.start(found.response);
  auto& [first, left] = found.range;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece));
  const auto buffer = std::make_unique<char[]>(size);
  while (left > 0) {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(left, size));
    const auto got =
        ::pread(found.file.descriptor(), buffer.get(), most, static_cast<off_t>(first));
    if (got < 0) fail(errno, found.name);
    if (got == 0) fail(EIO, found.name + " became shorter while it was sent");
    const std::string_view bytes{buffer.get(), static_cast<std::size_t>(got)};
    co_await stream.write(bytes);
    first += bytes.size();
    left -= bytes.size();
  }
  co_await stream.end();
}

Handler directory(const std::string& path, StaticOptions options) {
  const auto directory =
      std::make_shared<const StaticDirectory>(path, std::move(options), beneath_here());
  return [directory](Exchange exchange) { return directory->serve(std::move(exchange)); };
}

}  // namespace hotline::http
