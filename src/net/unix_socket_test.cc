#include "net/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <gtest/gtest.h>

#include <hotline/base/error.h>

namespace hotline {
namespace {

namespace fs = std::filesystem;

/// A directory of its own, and sockets in it.
class UnixSocketTest : public ::testing::Test {
 protected:
  UnixSocketTest() {
    std::string name = "/tmp/hotline-test-XXXXXX";
    directory = ::mkdtemp(name.data());
    path = directory / "socket";
  }
  ~UnixSocketTest() override { fs::remove_all(directory); }

  // Whether somebody can connect.
  bool answers() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    const Socket caller{::socket(AF_UNIX, SOCK_STREAM, 0)};
    return ::connect(caller.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
           0;
  }
  std::error_code complaint(const std::string& where) const {
    try {
      const UnixSocket socket{where};
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("unix:" + escaped(where)), std::string::npos)
          << error.what();
      return error.code();
    }
    return {};
  }
  std::error_code complaint() const { return complaint(path); }

  fs::path directory;
  fs::path path;
};

TEST_F(UnixSocketTest, listens_by_a_mode_of_its_own_and_goes) {
  const auto before = ::umask(0077);
  {
    const UnixSocket socket{path.string()};
    EXPECT_TRUE(answers());
    EXPECT_EQ(fs::status(path).permissions(), fs::perms{0660});
    EXPECT_EQ(socket.path(), path);
  }
  ::umask(before);
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(UnixSocketTest, replaces_what_a_dead_server_left) {
  {
    const UnixSocket first{path.string()};
    fs::rename(path, directory / "kept");  // so that it is not removed
  }
  fs::rename(directory / "kept", path);
  EXPECT_FALSE(answers());
  const UnixSocket second{path.string()};
  EXPECT_TRUE(answers());
}

TEST_F(UnixSocketTest, leaves_a_living_server_alone) {
  const UnixSocket first{path.string()};
  EXPECT_EQ(complaint(), std::errc::address_in_use);
  EXPECT_TRUE(answers());
}

TEST_F(UnixSocketTest, leaves_a_living_server_alone_whose_queue_is_full) {
  const UnixSocket first{path.string()};
  ASSERT_EQ(::listen(first.socket().get(), 0), 0);
  std::vector<Socket> callers;
  for (int i = 0; i < 8; ++i) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    callers.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(callers.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  EXPECT_EQ(complaint(), std::errc::address_in_use);
}

TEST_F(UnixSocketTest, leaves_files_of_other_kinds_alone) {
  std::ofstream{path} << "precious";
  EXPECT_EQ(complaint(), std::errc::file_exists);
  EXPECT_EQ(fs::file_size(path), 8u);
  fs::remove(path);
  fs::create_symlink(directory / "elsewhere", path);
  EXPECT_EQ(complaint(), std::errc::file_exists);
  EXPECT_TRUE(fs::is_symlink(path));
}

TEST_F(UnixSocketTest, says_what_is_wrong_with_a_path) {
  EXPECT_EQ(complaint(directory / "missing" / "socket"), std::errc::no_such_file_or_directory);
  EXPECT_EQ(complaint(std::string()), Fault::bad_option);
  EXPECT_EQ(complaint(std::string("/tmp/a\0b", 8)), Fault::bad_option);
  const auto room = 107 - directory.string().size() - 1;
  EXPECT_EQ(complaint(directory / std::string(room + 1, 'x')), Fault::bad_option);
  EXPECT_EQ(complaint(directory / std::string(room, 'x')), std::error_code{});
}

TEST_F(UnixSocketTest, removes_only_what_is_its_own) {
  auto first = std::make_unique<UnixSocket>(path.string());
  fs::remove(path);
  const UnixSocket second{path.string()};
  first.reset();
  EXPECT_TRUE(answers());
}

TEST_F(UnixSocketTest, can_be_taken_off_the_way_while_it_still_listens) {
  UnixSocket socket{path.string()};
  socket.remove();
  EXPECT_FALSE(fs::exists(path));
  std::ofstream{path} << "another's";
  socket.remove();
  EXPECT_TRUE(fs::exists(path));
}

}  // namespace
}  // namespace hotline
