// Messages between the two ends of TLS, of which half has come.
#include <cerrno>

#include <openssl/ssl.h>

#include "net/tls_fixture.h"

namespace hotline {
namespace {

// A message between the two OpenSSLs that takes several records: a ticket with much in it.
void send_a_large_ticket(Stream& stream, std::size_t size = 2'000) {
  auto* ssl = static_cast<TlsStream&>(stream).ssl();
  const auto much = pattern(size);
  EXPECT_EQ(SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), much.data(), much.size()), 1);
  EXPECT_EQ(SSL_set_max_send_fragment(ssl, 512), 1);
  EXPECT_EQ(SSL_new_session_ticket(ssl), 1);
  EXPECT_EQ(SSL_do_handshake(ssl), 1);
}

// Its client has half of the ticket, and the server more to say.
struct HalfTicket : TlsPair {
  HalfTicket() : TlsPair{MemoryStreamOptions{.capacity = 700}} {
    connect();
    read_once(*a);
    send_a_large_ticket(*b);
    EXPECT_EQ(read_once(*a), "");
  }
};

TEST(HalfOfATlsMessage, delays_a_write_until_the_rest_has_come) {
  HalfTicket pair;
  EXPECT_TRUE(pair.a->try_write(span_of("hello")).would_block());
  Ear ear;
  Ear given_up;
  for (int i = 1; i <= 10; ++i) {
    pair.a->wait_writable(ear);
    pair.a->wait_readable(given_up);
    pair.a->cancel_wait(given_up);
    pair.loop.settle();
    ASSERT_EQ(ear.heard, i);
    if (pair.a->try_write(span_of("hello")).size == 5) break;
  }
  EXPECT_EQ(read_all(pair.loop, *pair.b), "hello");
  pair.b->try_write(span_of("back"));
  EXPECT_EQ(read_all(pair.loop, *pair.a), "back");
}

TEST(HalfOfATlsMessage, delays_a_write_until_the_reader_has_read_the_rest) {
  for (const bool told : {true, false}) {
    HalfTicket pair;
    EXPECT_TRUE(pair.a->try_write(span_of("hello")).would_block());
    Ear writer;
    pair.a->wait_writable(writer);
    std::string got;
    Ear reader{[&] {
      got += read_once(*pair.a);
      pair.a->wait_readable(reader);
    }};
    if (told) pair.a->wait_readable(reader);
    for (int i = 0; i < 10; ++i) {
      static_cast<void>(pair.b->try_write({}));  // goes on with what the wire did not take
      EXPECT_EQ(read_once(*pair.a), "") << "as the pump does when somebody asks for a message";
    }
    pair.loop.settle();
    EXPECT_EQ(writer.heard, 1);
    pair.b->try_write(span_of("back"));
    pair.loop.settle();
    if (!told) got = read_once(*pair.a);
    EXPECT_EQ(got, "back");
    EXPECT_EQ(pair.a->try_write(span_of("hello")).size, 5u);
    EXPECT_EQ(read_all(pair.loop, *pair.b), "hello");
    pair.a->cancel_wait(reader);
  }
}

TEST(HalfOfATlsMessage, that_a_writer_completes_wakes_the_reader) {
  HalfTicket pair;
  Ear reader;
  pair.a->wait_readable(reader);
  // Both have to go on where the wire was full.
  std::string_view back = "back";
  std::string_view hello = "hello";
  for (int i = 0; i < 10 && !hello.empty(); ++i) {
    back.remove_prefix(pair.b->try_write(span_of(back)).size);
    hello.remove_prefix(pair.a->try_write(span_of(hello)).size);
  }
  EXPECT_EQ(back.size() + hello.size(), 0u);
  EXPECT_EQ(reader.heard, 0) << "not from inside";
  pair.loop.settle();
  EXPECT_EQ(reader.heard, 1);
  EXPECT_EQ(read_all(pair.loop, *pair.a), "back");
}

TEST(HalfOfATlsMessage, in_many_records_costs_a_writer_no_more_than_a_reader) {
  for (const bool by_writing : {true, false}) {
    TlsPair pair{MemoryStreamOptions{.capacity = 700}};
    pair.connect();
    read_once(*pair.a);
    send_a_large_ticket(*pair.b, 40'000);
    EXPECT_EQ(read_once(*pair.a), "");
    Transfer transfer{};
    for (int i = 0; i < 1'000 && !transfer.failed(); ++i) {
      static_cast<void>(pair.b->try_write({}));
      char byte = 0;
      transfer = by_writing ? pair.a->try_write(span_of("hello")) : pair.a->try_read({&byte, 1});
      if (by_writing && transfer.size == 5) break;
    }
    EXPECT_EQ(transfer.error, EPROTO);
    EXPECT_EQ(tls_failure(*pair.a), "too many records without data");
  }
}

TEST(HalfOfATlsMessage, that_is_never_completed_is_a_failure) {
  HalfTicket pair;
  EXPECT_TRUE(pair.a->try_write(span_of("hello")).would_block());
  Ear ear;
  pair.a->wait_writable(ear);
  pair.b.reset();
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 1);
  EXPECT_EQ(pair.a->try_write(span_of("hello")).error, EPROTO);
  EXPECT_EQ(tls_failure(*pair.a), "the peer hung up in the middle of a message");
}

}  // namespace
}  // namespace hotline
