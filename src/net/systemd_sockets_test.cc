#include "net/systemd_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include <hotline/base/error.h>

#include "net/net_fixture.h"
#include "net/unix_socket.h"

namespace hotline {
namespace {

std::string complaint(int descriptor) {
  try {
    const auto socket = look_at_socket(Socket{descriptor}, 3);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

Socket listening() {
  auto socket = bind_tcp(*Address::parse("127.0.0.1", 0), false);
  EXPECT_EQ(::listen(socket.get(), 1), 0);
  return socket;
}

TEST(SystemdSockets, tell_what_they_listen_on) {
  auto tcp = listening();
  const int flags = ::fcntl(tcp.get(), F_GETFL);
  ::fcntl(tcp.get(), F_SETFL, flags & ~O_NONBLOCK);
  const auto address = local_address(tcp.get());
  const auto passed = look_at_socket(std::move(tcp), 3);
  EXPECT_EQ(passed.address, address);
  EXPECT_EQ(passed.name, address.to_string());
  EXPECT_NE(::fcntl(passed.socket.get(), F_GETFL) & O_NONBLOCK, 0);

  const std::string path = "/tmp/hotline-passed-" + std::to_string(::getpid());
  const UnixSocket by_path{path};
  EXPECT_EQ(look_at_socket(by_path.socket().duplicate(), 3).name, "unix:" + path);
  EXPECT_TRUE(look_at_socket(by_path.socket().duplicate(), 3).address.is_unix());

  Socket abstract{::socket(AF_UNIX, SOCK_STREAM, 0)};
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const auto text = "hotline-" + std::to_string(::getpid());
  text.copy(name.sun_path + 1, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(abstract.get(), reinterpret_cast<const sockaddr*>(&name),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size())),
            0);
  ASSERT_EQ(::listen(abstract.get(), 1), 0);
  EXPECT_EQ(look_at_socket(std::move(abstract), 3).name, "unix:@" + text);
}

TEST(SystemdSockets, are_refused_where_nothing_can_be_accepted_from_them) {
  EXPECT_NE(complaint(bind_tcp(*Address::parse("127.0.0.1", 0), false).release())
                .find("descriptor 3 from systemd does not listen"),
            std::string::npos);
  EXPECT_NE(complaint(::socket(AF_INET, SOCK_DGRAM, 0)).find("is no stream socket"),
            std::string::npos);
  EXPECT_NE(complaint(::open("/dev/null", O_RDONLY)).find("is no stream socket"),
            std::string::npos);
}

TEST(SystemdSockets, are_not_there_unless_they_are_this_process_s) {
  const auto found = [](const char* pid, const char* count) {
    ::setenv("LISTEN_PID", pid, 1);
    ::setenv("LISTEN_FDS", count, 1);
    bool any = true;
    try {
      (void)systemd_sockets();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Fault::bad_option);
      any = std::string(error.what()).find("has passed no sockets") == std::string::npos;
    }
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
    return any;
  };
  const auto self = std::to_string(::getpid());
  EXPECT_FALSE(found("1", "1"));
  EXPECT_FALSE(found(self.c_str(), "0"));
  EXPECT_FALSE(found(self.c_str(), "-1"));
  EXPECT_FALSE(found(self.c_str(), "1x"));
  EXPECT_FALSE(found(self.c_str(), ""));
  EXPECT_FALSE(found("", "1"));
  EXPECT_FALSE(found((self + " ").c_str(), "1"));
  EXPECT_THROW(systemd_sockets(), Error);
}

// In a child, whose descriptors from 3 on can be what they must be.
TEST(SystemdSockets, are_taken_by_number) {
  const auto first = listening();
  const auto second = listening();
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Above all that is in use, then down, so that neither is overwritten on its way.
    const int a = ::fcntl(first.get(), F_DUPFD, 100);
    const int b = ::fcntl(second.get(), F_DUPFD, 100);
    const auto ports =
        std::to_string(local_address(a).port()) + " " + std::to_string(local_address(b).port());
    bool good = ::dup2(a, 3) == 3 && ::dup2(b, 4) == 4;
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "2", 1);
    try {
      const auto sockets = systemd_sockets();
      good = good && sockets.size() == 2 &&
             std::to_string(sockets[0].address.port()) + " " +
                     std::to_string(sockets[1].address.port()) ==
                 ports &&
             (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 &&
             (::fcntl(sockets[1].socket.get(), F_GETFD) & FD_CLOEXEC) != 0;
      ::setenv("LISTEN_FDS", "3", 1);
      ::close(5);
      try {
        (void)systemd_sockets();
        good = false;
      } catch (const Error& error) {
        good = good && std::string(error.what()).find("descriptor 5") != std::string::npos;
      }
    } catch (const std::exception&) {
      good = false;
    }
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace hotline
