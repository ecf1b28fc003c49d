#include "net/tcp_stream.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "net/net_fixture.h"

namespace hotline {
namespace {

/// Two connected sockets on one loop. Nothing is left of them in the end.
class TcpStreamTest : public ::testing::Test {
 protected:
  TcpStreamTest() {
    loop.emplace();
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    a = TcpStream::adopt(*loop, pair[0], *Address::parse("127.0.0.1", 1),
                         *Address::parse("127.0.0.1", 2));
    b = TcpStream::adopt(*loop, pair[1], {}, {});
  }
  ~TcpStreamTest() override {
    a.reset();
    b.reset();
    loop.reset();
    EXPECT_EQ(open_descriptors(), descriptors_);
  }
  void settle() { loop->run_ready(); }
  void fill() {
    const auto bytes = pattern(65536);
    while (a->try_write(span_of(bytes)).size > 0) {
    }
  }
  std::string drain() {
    std::string all;
    for (;;) {
      const auto piece = read_once(*b, 65536);
      if (piece.empty() || piece == ".") return all;
      all += piece;
    }
  }

  std::ptrdiff_t descriptors_ = open_descriptors();
  std::optional<Loop> loop;
  StreamPointer a;
  StreamPointer b;
};

TEST_F(TcpStreamTest, reads_and_writes_both_parts_in_one_call) {
  EXPECT_EQ(a->try_write(span_of("head"), span_of("body")).size, 8u);
  EXPECT_EQ(a->try_write({}, span_of("more")).size, 4u);
  EXPECT_EQ(read_once(*b), "headbodymore");
  EXPECT_EQ(read_once(*b), "");
  EXPECT_EQ(a->remote_address().to_string(), "127.0.0.1:1");
  EXPECT_EQ(a->local_address().to_string(), "127.0.0.1:2");
  EXPECT_GE(a->descriptor(), 0);
}

TEST_F(TcpStreamTest, ends_behind_what_was_written) {
  a->try_write(span_of("last"));
  a->shut_down();
  EXPECT_EQ(read_once(*b), "last");
  EXPECT_EQ(read_once(*b), ".");
  EXPECT_EQ(b->try_write(span_of("answer")).size, 6u);
  EXPECT_EQ(read_once(*a), "answer");
}

TEST_F(TcpStreamTest, fails_without_a_signal_when_the_peer_has_gone) {
  b.reset();
  EXPECT_EQ(a->try_write(span_of("x")).error, EPIPE);
  EXPECT_EQ(a->try_write(span_of("x"), span_of("y")).error, EPIPE);
}

TEST_F(TcpStreamTest, tells_once_that_it_is_readable) {
  Ear ear{[&] { EXPECT_EQ(Loop::current(), &*loop); }};
  b->wait_readable(ear);
  settle();
  EXPECT_EQ(ear.heard, 0);
  a->try_write(span_of("x"));
  settle();
  EXPECT_EQ(ear.heard, 1);
  a->try_write(span_of("y"));
  settle();
  EXPECT_EQ(ear.heard, 1);
  b->wait_readable(ear);  // what is there already counts
  settle();
  EXPECT_EQ(ear.heard, 2);
}

TEST_F(TcpStreamTest, tells_when_it_is_writable_again) {
  fill();
  EXPECT_TRUE(a->try_write(span_of("x")).would_block());
  Ear ear;
  a->wait_writable(ear);
  settle();
  EXPECT_EQ(ear.heard, 0);
  EXPECT_GT(drain().size(), 65536u);
  settle();
  EXPECT_EQ(ear.heard, 1);
}

TEST_F(TcpStreamTest, can_be_waited_for_in_both_directions_at_once) {
  fill();
  Ear reads;
  Ear writes;
  a->wait_readable(reads);
  a->wait_writable(writes);
  settle();
  EXPECT_EQ(reads.heard + writes.heard, 0);
  b->try_write(span_of("x"));
  settle();
  EXPECT_EQ(reads.heard, 1);
  EXPECT_EQ(writes.heard, 0);
  drain();
  settle();
  EXPECT_EQ(writes.heard, 1);
}

TEST_F(TcpStreamTest, does_not_tell_one_who_has_cancelled_but_the_next) {
  Ear first;
  Ear second;
  b->wait_readable(first);
  b->cancel_wait(first);
  b->cancel_wait(second);  // who does not wait
  b->wait_readable(second);
  a->try_write(span_of("x"));
  settle();
  EXPECT_EQ(first.heard, 0);
  EXPECT_EQ(second.heard, 1);
  b->wait_readable(first);
  b->wait_writable(first);
  b->cancel_wait(first);
  settle();
  EXPECT_EQ(first.heard, 0);
}

TEST_F(TcpStreamTest, may_be_released_in_its_own_callback) {
  const auto before = open_descriptors();
  Ear ear{[&] { b.reset(); }};
  b->wait_readable(ear);
  a->try_write(span_of("x"));
  settle();
  EXPECT_EQ(ear.heard, 1);
  EXPECT_EQ(open_descriptors(), before - 1);
  EXPECT_EQ(a->try_write(span_of("y")).error, EPIPE);
}

TEST_F(TcpStreamTest, may_be_released_in_its_callback_while_the_other_direction_waits) {
  fill();
  Ear writes;
  Ear reads{[&] { a.reset(); }};
  a->wait_writable(writes);
  a->wait_readable(reads);
  b->try_write(span_of("x"));
  settle();
  drain();
  settle();
  EXPECT_EQ(reads.heard, 1);
  EXPECT_EQ(writes.heard, 0);
}

TEST_F(TcpStreamTest, may_be_released_with_waits_pending) {
  fill();
  Ear ear;
  a->wait_readable(ear);
  a->wait_writable(ear);
  const auto before = open_descriptors();
  a.reset();
  EXPECT_EQ(open_descriptors(), before - 1) << "closed at once";
  settle();
  EXPECT_EQ(ear.heard, 0);
}

TEST_F(TcpStreamTest, goes_with_a_loop_that_owes_it_callbacks) {
  Ear ear;
  fill();
  a->wait_readable(ear);
  a->wait_writable(ear);
  b->wait_readable(ear);
  a.reset();
  b.reset();
  loop.reset();  // it has not run since
  EXPECT_EQ(ear.heard, 0);
}

TEST_F(TcpStreamTest, closes_what_it_cannot_adopt) {
  const int descriptor = ::dup(a->descriptor());
  using Descriptor =
      boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;
  Descriptor registered{loop->context(), descriptor};
  EXPECT_THROW(TcpStream::adopt(*loop, descriptor, {}, {}), std::exception);
  EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
  registered.release();
}

}  // namespace
}  // namespace hotline
