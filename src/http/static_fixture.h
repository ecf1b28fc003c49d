#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/header_tokens.h"
#include "http/site_fixture.h"

/// For tests: a directory of files, and what comes back from a site that serves it.
namespace hotline::http::testing {

/// A temporary directory.
class Tree {
 public:
  static constexpr std::time_t made = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT

  Tree() {
    auto name = (std::filesystem::temp_directory_path() / "hotline-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() { std::filesystem::remove_all(path_); }

  std::string path(const std::string& name = "") const { return (path_ / name).string(); }
  void write(const std::string& name, std::string_view text, std::time_t modified = made) {
    const auto where = path_ / name;
    std::filesystem::create_directories(where.parent_path());
    std::ofstream{where, std::ios::binary} << text;
    const timespec times[] = {{modified, 0}, {modified, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, where.c_str(), times, 0), 0);
  }
  void link(const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(target, path_ / name);
  }
  void fifo(const std::string& name) { EXPECT_EQ(::mkfifo(path(name).c_str(), 0600), 0); }
  void truncate(const std::string& name, std::uintmax_t size) {
    std::filesystem::resize_file(path_ / name, size);
  }

 private:
  std::filesystem::path path_;
};

/// An answer, taken apart.
struct Reply {
  explicit Reply(const std::string& bytes) {
    const auto end = bytes.find("\r\n\r\n");
    head = bytes.substr(0, end == std::string::npos ? end : end + 2);
    if (end != std::string::npos) body = bytes.substr(end + 4);
    if (bytes.size() > 12) status = std::atoi(bytes.c_str() + 9);
  }
  /// The value of a field; "" if there is none.
  std::string field(std::string_view name) const {
    auto at = head.find("\r\n") + 2;
    while (at < head.size()) {
      const auto end = head.find("\r\n", at);
      const auto colon = head.find(':', at);
      if (equals_ignoring_case(std::string_view{head}.substr(at, colon - at), name)) {
        return head.substr(colon + 2, end - colon - 2);
      }
      at = end + 2;
    }
    return "";
  }

  int status = 0;
  std::string head;
  std::string body;
};

}  // namespace hotline::http::testing
