#include "net/tls_stream.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <openssl/ssl.h>

#include "net/tls_fixture.h"

namespace hotline {
namespace {

using Options = MemoryStreamOptions;

// Writes all of `bytes` at one end while the other reads: how far what arrives is the same.
std::size_t carried(TlsPair& pair, Stream& from, Stream& to, std::string_view bytes) {
  const auto whole = bytes;
  std::string got;
  for (int idle = 0; idle < 50'000 && got.size() < whole.size(); ++idle) {
    const auto transfer = from.try_write(span_of(bytes));
    if (transfer.failed()) break;
    bytes.remove_prefix(transfer.size);
    pair.loop.settle();
    const auto piece = read_once(to, 64 * 1024);
    if (piece == "." || piece.starts_with('!')) break;
    got += piece;
    if (!piece.empty()) idle = 0;
  }
  return static_cast<std::size_t>(
      std::mismatch(got.begin(), got.end(), whole.begin(), whole.end()).first - got.begin());
}

TEST(TlsStream, carries_bytes_both_ways) {
  TlsPair pair;
  pair.connect();
  ASSERT_TRUE(pair.a && pair.b) << pair.client_sentence << pair.server_sentence;
  EXPECT_EQ(pair.a->try_write(span_of("head"), span_of("body")).size, 8u);
  EXPECT_EQ(read_once(*pair.b, 6), "headbo");
  EXPECT_EQ(read_once(*pair.b), "dy");
  EXPECT_EQ(read_once(*pair.b), "");
  EXPECT_EQ(pair.b->try_write(span_of("back")).size, 4u);
  EXPECT_EQ(read_all(pair.loop, *pair.a), "back");
}

TEST(TlsStream, carries_much_through_little) {
  for (const std::size_t capacity : {1u, 100u, 5'000u, 300'000u}) {
    TlsPair pair{Options{.capacity = capacity}};
    pair.connect();
    ASSERT_TRUE(pair.a && pair.b) << pair.client_sentence << pair.server_sentence;
    const auto bytes = pattern(capacity < 100 ? 3'000u : 400'000u);
    EXPECT_EQ(carried(pair, *pair.a, *pair.b, bytes), bytes.size());
    EXPECT_EQ(carried(pair, *pair.b, *pair.a, bytes), bytes.size());
  }
}

TEST(TlsStream, is_the_same_however_its_bytes_are_cut) {
  const auto bytes = pattern(40'000);
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    TlsPair pair{Options{.largest_transfer = seed % 3 == 0 ? 7u : 9'000u,
                         .random_sizes = true,
                         .stall_one_in = 5,
                         .late_wakeups = 3,
                         .seed = seed}};
    pair.connect();
    ASSERT_TRUE(pair.a && pair.b) << pair.client_sentence << pair.server_sentence;
    EXPECT_EQ(carried(pair, *pair.a, *pair.b, bytes), bytes.size()) << "seed " << seed;
    EXPECT_EQ(carried(pair, *pair.b, *pair.a, bytes), bytes.size()) << "seed " << seed;
  }
}

TEST(TlsStream, shakes_hands_one_byte_at_a_time) {
  TlsPair pair{Options{.largest_transfer = 1}};
  pair.connect();
  ASSERT_TRUE(pair.a && pair.b) << pair.client_sentence << pair.server_sentence;
  EXPECT_EQ(carried(pair, *pair.a, *pair.b, "hello"), 5u);
}

TEST(TlsStream, one_write_is_one_write_below) {
  const auto recording = std::make_shared<Recording>();
  TlsPair pair{Options{.recording = recording}};
  pair.connect();
  ASSERT_TRUE(pair.a && pair.b);
  const auto before = recording->entries().size();
  const auto bytes = pattern(60'000);
  EXPECT_EQ(pair.a->try_write(span_of("head"), span_of(bytes)).size, bytes.size() + 4);
  EXPECT_EQ(recording->entries().size(), before + 1) << "five records";
  EXPECT_EQ(read_once(*pair.b, 64 * 1024).size(), bytes.size() + 4);
  EXPECT_EQ(recording->entries().size(), before + 2) << "and one read";
}

TEST(TlsStream, reads_once_a_readiness) {
  const auto recording = std::make_shared<Recording>();
  TlsPair pair{Options{.recording = recording}};
  pair.connect();
  for (int i = 0; i < 10; ++i) pair.a->try_write(span_of("0123456789"));
  const auto before = recording->entries().size();
  EXPECT_EQ(read_once(*pair.b).size(), 100u);
  EXPECT_EQ(recording->entries().size(), before + 1);
}

TEST(TlsStream, tells_of_bytes_that_it_has_and_the_socket_has_not) {
  TlsPair pair;
  pair.connect();
  pair.a->try_write(span_of("twelve bytes"));
  pair.a->try_write(span_of("and more"));
  std::string got;
  Ear ear;
  for (int i = 1; i <= 10; ++i) {
    pair.b->wait_readable(ear);
    EXPECT_EQ(ear.heard, i - 1) << "not from inside";
    pair.loop.settle();
    ASSERT_EQ(ear.heard, i);
    got += read_once(*pair.b, 2);
  }
  EXPECT_EQ(got, "twelve bytesand more");
  pair.b->wait_readable(ear);
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 10);
  pair.b->cancel_wait(ear);
}

TEST(TlsStream, ends_behind_what_was_written) {
  TlsPair pair{Options{.capacity = 500}};
  pair.connect();
  const auto bytes = pattern(1'000);
  EXPECT_EQ(pair.a->try_write(span_of(bytes)).size, 1'000u) << "in one record, which it keeps";
  pair.a->shut_down();
  EXPECT_EQ(pair.a->try_write(span_of("more")).error, EPIPE);
  EXPECT_EQ(read_all(pair.loop, *pair.b), bytes + ".");
  EXPECT_EQ(pair.b->try_write(span_of("still")).size, 5u);
  EXPECT_EQ(read_all(pair.loop, *pair.a), "still");
}

TEST(TlsStream, sends_on_behind_its_end_when_it_has_been_released) {
  TlsPair pair{Options{.capacity = 500}};
  pair.connect();
  const auto bytes = pattern(10'000);
  EXPECT_EQ(pair.a->try_write(span_of(bytes)).size, 10'000u);
  pair.a->shut_down();
  pair.a.reset();
  EXPECT_EQ(pair.loop->connections(), 1u);
  EXPECT_EQ(read_all(pair.loop, *pair.b), bytes + ".");
  pair.b.reset();
  pair.loop.settle();
  EXPECT_EQ(pair.loop->connections(), 0u);
}

TEST(TlsStream, sends_on_for_half_a_minute) {
  TlsPair pair{Options{.capacity = 500}};
  pair.connect();
  const auto bytes = pattern(10'000);
  pair.a->try_write(span_of(bytes));
  pair.a->shut_down();
  pair.a.reset();
  pair.loop.advance(29s);
  EXPECT_EQ(pair.loop->connections(), 1u);
  pair.loop.advance(2s);
  EXPECT_EQ(pair.loop->connections(), 0u);
}

TEST(TlsStream, that_is_cut_sends_no_more) {
  TlsPair pair{Options{.capacity = 500}};
  pair.connect();
  const auto bytes = pattern(10'000);
  pair.a->try_write(span_of(bytes));
  pair.a.reset();
  EXPECT_EQ(pair.loop->connections(), 0u);
  EXPECT_EQ(read_all(pair.loop, *pair.b), ".");
}

void update_keys(Stream& stream) {
  auto* ssl = static_cast<TlsStream&>(stream).ssl();
  EXPECT_EQ(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
  EXPECT_EQ(SSL_do_handshake(ssl), 1);
}

TEST(TlsStream, keys_may_be_renewed) {
  TlsPair pair;
  pair.connect();
  for (int i = 0; i < 100; ++i) {
    update_keys(*pair.a);
    pair.a->try_write(span_of("there"));
    EXPECT_EQ(read_once(*pair.b), "there");
    pair.b->try_write(span_of("back"));
    EXPECT_EQ(read_once(*pair.a), "back");
  }
}

TEST(TlsStream, keys_that_are_renewed_all_the_time_are_a_failure) {
  TlsPair pair;
  pair.connect();
  for (int i = 0; i < 100; ++i) update_keys(*pair.a);
  EXPECT_EQ(read_all(pair.loop, *pair.b), "!" + std::to_string(EPROTO));
  EXPECT_EQ(tls_failure(*pair.b), "too many records without data");
}

TEST(TlsStream, takes_its_turn_with_many_small_records) {
  const auto recording = std::make_shared<Recording>();
  TlsPair pair{Options{.capacity = 10'000'000, .recording = recording}};
  pair.connect();
  const auto bytes = pattern(20'000);
  for (const auto& byte : bytes) pair.a->try_write({&byte, 1});
  const auto before_reading = recording->entries().size();
  const auto first = read_once(*pair.b, 64 * 1024);
  EXPECT_EQ(recording->entries().size(), before_reading + 4) << "four blocks, and not all there is";
  EXPECT_LT(first.size(), 15'000u);
  std::string got = first;
  Ear ear;
  while (got.size() < bytes.size()) {
    const auto before = ear.heard;
    pair.b->wait_readable(ear);
    pair.loop.settle();
    ASSERT_GT(ear.heard, before);
    got += read_once(*pair.b, 64 * 1024);
  }
  EXPECT_EQ(got, bytes);
  // Each of which asks for an answer.
  for (int i = 0; i < 40; ++i) {
    update_keys(*pair.a);
    pair.a->try_write(span_of("x"));
  }
  EXPECT_LT(read_once(*pair.b).size(), 20u);
  EXPECT_GT(read_all(pair.loop, *pair.b).size(), 19u);
}

TEST(TlsStream, that_is_released_is_an_end_to_the_other) {
  TlsPair pair;
  pair.connect();
  pair.a->try_write(span_of("last"));
  pair.a.reset();
  EXPECT_EQ(read_all(pair.loop, *pair.b), "last.");
  Ear ear;
  pair.b->wait_readable(ear);
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 1) << "an end is always ready";
}

TEST(TlsStream, that_cannot_write_tells_when_it_can) {
  TlsPair pair{Options{.capacity = 50}};
  pair.connect();
  EXPECT_EQ(pair.a->try_write(span_of("0123456789 0123456789 0123456789")).size, 32u);
  EXPECT_TRUE(pair.a->try_write(span_of("x")).would_block());
  Ear ear;
  pair.a->wait_writable(ear);
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 0);
  EXPECT_EQ(read_all(pair.loop, *pair.b), "0123456789 0123456789 0123456789");
  EXPECT_EQ(ear.heard, 1);
  EXPECT_EQ(pair.a->try_write(span_of("x")).size, 1u);
}

TEST(TlsStream, may_be_released_in_its_own_callback) {
  TlsPair pair;
  pair.connect();
  Ear ear{[&] { pair.b.reset(); }};
  pair.b->wait_readable(ear);
  pair.b->wait_writable(ear);
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 1);
  TlsPair posted;
  posted.connect();
  posted.a->try_write(span_of("ab"));
  read_once(*posted.b, 1);
  Ear other{[&] { posted.b.reset(); }};
  posted.b->wait_readable(other);  // by a post
  posted.loop.settle();
  EXPECT_EQ(other.heard, 1);
}

TEST(TlsStream, may_go_before_what_it_has_posted) {
  TlsPair pair;
  pair.connect();
  pair.a->try_write(span_of("ab"));
  read_once(*pair.b, 1);
  Ear ear;
  pair.b->wait_readable(ear);
  pair.b.reset();
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 0);
}

TEST(TlsStream, forged_bytes_are_a_failure_for_good) {
  TlsPair pair;
  pair.connect();
  // A record that is whole and was never encrypted.
  auto inner = static_cast<TlsStream&>(*pair.a).take_inner();
  inner->try_write(span_of(std::string("\x17\x03\x03\x00\x14", 5) + std::string(20, 'x')));
  EXPECT_EQ(read_all(pair.loop, *pair.b), "!" + std::to_string(EPROTO));
  EXPECT_EQ(read_once(*pair.b), "!" + std::to_string(EPROTO));
  EXPECT_EQ(pair.b->try_write(span_of("x")).error, EPROTO);
  EXPECT_NE(tls_failure(*pair.b), "");
  EXPECT_EQ(read_once(*inner).substr(0, 1), "\x17") << "the alert";
  pair.a.reset();
}

// Whatever transfer fails, and with whatever: both ends end, and nothing is left.
TEST(TlsStream, survives_the_failure_of_every_transfer) {
  const auto recording = std::make_shared<Recording>();
  {
    TlsPair pair{Options{.largest_transfer = 700, .recording = recording}};
    pair.connect();
    ASSERT_TRUE(pair.a && pair.b);
    EXPECT_EQ(carried(pair, *pair.a, *pair.b, pattern(3'000)), 3'000u);
  }
  const auto transfers = recording->entries().size() + 2;
  EXPECT_GT(transfers, 15u);
  for (std::uint64_t at = 1; at <= transfers; ++at) {
    for (const bool reset : {false, true}) {
      TlsPair pair{
          Options{.largest_transfer = 700, .reset_at = reset ? at : 0, .fail_at = reset ? 0 : at}};
      pair.connect();
      if (!pair.a && !pair.client_error) {
        // It waits for a peer that has gone.
        pair.accept.reset();
        pair.b.reset();
        pair.loop.settle();
        EXPECT_TRUE(pair.client_ended) << at;
      }
      if (!pair.a || !pair.b) continue;
      static_cast<void>(carried(pair, *pair.a, *pair.b, pattern(3'000)));
      pair.a->shut_down();
      static_cast<void>(read_all(pair.loop, *pair.b));
    }
  }
}

}  // namespace
}  // namespace hotline
