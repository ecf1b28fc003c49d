#include <random>
#include <string>

#include <gtest/gtest.h>

#include "http/request_builder.h"

namespace hotline::http {
namespace {

// What a head comes to: "complete", "need more", or the status of the refusal.
struct Outcome {
  std::string text;
  std::size_t size = 0;  // bytes taken
  std::string reason;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << outcome.text << " after " << outcome.size << " bytes: " << outcome.reason;
}

template <typename Cut>
Outcome outcome(std::string_view bytes, HeadLimits limits, const Cut& cut) {
  HeadReader reader{limits};
  auto rest = bytes;
  while (!rest.empty()) {
    const auto piece = rest.substr(0, cut());
    rest.remove_prefix(piece.size());
    const auto result = reader.feed(piece);
    if (result == HeadReader::Result::refused) {
      return {std::to_string(static_cast<int>(reader.refusal().status)), reader.size(),
              std::string(reader.refusal().reason)};
    }
    if (result == HeadReader::Result::complete) {
      Request request;
      RequestTraits traits;
      const auto refusal = RequestBuilder::build(bytes.substr(0, reader.size()),
                                                 reader.field_count(), request, traits);
      if (!refusal) {
        EXPECT_EQ(request.headers().size(), reader.field_count());
        return {"complete", reader.size(), ""};
      }
      return {std::to_string(static_cast<int>(refusal->status)), reader.size(),
              std::string(refusal->reason)};
    }
  }
  return {"need more", reader.size(), ""};
}

// Whole, byte by byte and cut at random: the same.
Outcome outcome(std::string_view bytes, HeadLimits limits = {}) {
  const auto whole = outcome(bytes, limits, [&] { return bytes.size(); });
  EXPECT_EQ(outcome(bytes, limits, [] { return 1; }), whole) << bytes;
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::minstd_rand random{seed};
    EXPECT_EQ(outcome(bytes, limits, [&] { return 1 + random() % 9; }), whole) << bytes;
  }
  return whole;
}

std::string with(std::string_view fields, std::string_view line = "GET / HTTP/1.1") {
  std::string head{line};
  return head.append("\r\nHost: localhost\r\n").append(fields).append("\r\n");
}

TEST(Head, is_complete_at_its_empty_line) {
  const std::string heads[] = {
      with(""),
      with("Accept: */*\r\n"),
      with("A:b\r\n"),
      with("A:\r\n"),
      with("A: \t b \t \r\n"),
      with("A: caf\xc3\xa9\r\n"),
      with("", "GET /a?b=c&d=%20|^`{}\"<> HTTP/1.1"),
      with("", "PROPFIND /x HTTP/1.1"),
      with("", "OPTIONS * HTTP/1.1"),
      with("", "GET http://localhost/a HTTP/1.1"),
      with("", "GET HTTP://LOCALHOST HTTP/1.1"),
      with("", "GET / HTTP/1.0"),
      "GET / HTTP/1.0\r\n\r\n",
      "\r\n" + with(""),
      "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a-b.example.:80\r\n\r\n",
      "GET / HTTP/1.1\r\nhOST:example.org:\r\n\r\n",
      with("Content-Length: 0\r\n"),
      with("Content-Length: 123456789012345678\r\n"),
      with("Transfer-Encoding: Chunked\r\n"),
      with("Connection: keep-alive, Upgrade\r\n"),
  };
  for (const auto& head : heads) {
    EXPECT_EQ(outcome(head), (Outcome{"complete", head.size(), ""})) << head;
    EXPECT_EQ(outcome(head + "GET"), (Outcome{"complete", head.size(), ""})) << head;
    EXPECT_EQ(outcome(head.substr(0, head.size() - 1)).text, "need more") << head;
  }
}

TEST(Head, is_refused_at_the_first_byte_that_shows_it) {
  // Each ends in that byte.
  const std::pair<std::string, const char*> cases[] = {
      {" ", "400"},
      {"\n", "400"},
      {"\x16", "400"},  // the first byte of TLS
      {std::string(1, '\0'), "400"},
      {"\r\n\r", "400"},
      {"\rG", "400"},
      {"G@", "400"},
      {"GET\t", "400"},
      {"GET\r", "400"},
      {"GET  ", "400"},
      {"GET /\r", "400"},
      {"GET /\n", "400"},
      {"GET /#", "400"},
      {"GET /\x7f", "400"},
      {"GET /\xc3", "400"},
      {"GET /\t", "400"},
      {"GET /" + std::string(1, '\0'), "400"},
      {"GET / h", "400"},
      {"GET / HTTP/x", "400"},
      {"GET / HTTP/1,", "400"},
      {"GET / HTTP/1.2", "505"},
      {"GET / HTTP/0.9", "505"},
      {"GET / HTTP/3.0", "505"},
      {"PRI * HTTP/2.0", "505"},
      {"GET / HTTP/1.10", "400"},
      {"GET / HTTP/1.1 ", "400"},
      {"GET / HTTP/1.1\n", "400"},
      {"GET / HTTP/1.1\rH", "400"},
      {"GET / HTTP/1.1\r\n ", "400"},
      {"GET / HTTP/1.1\r\n:", "400"},
      {"GET / HTTP/1.1\r\nHost ", "400"},
      {"GET / HTTP/1.1\r\nHost\t", "400"},
      {"GET / HTTP/1.1\r\nHost\r", "400"},
      {"GET / HTTP/1.1\r\nHo\xc3", "400"},
      {"GET / HTTP/1.1\r\nHost: a\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\rb", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\r", "400"},
      {"GET / HTTP/1.1\r\nHost: a" + std::string(1, '\0'), "400"},
      {"GET / HTTP/1.1\r\nHost: a\x01", "400"},
      {"GET / HTTP/1.1\r\nHost: a\x7f", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\n ", "400"},   // obs-fold
      {"GET / HTTP/1.1\r\nHost: a\r\n\t", "400"},  // obs-fold
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", "400"},  // a bare LF that ends the head
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\r", "400"},
  };
  for (const auto& [bytes, status] : cases) {
    const auto refused = outcome(bytes);
    EXPECT_EQ(refused.text, status) << bytes;
    EXPECT_EQ(refused.size, bytes.size()) << bytes;
    EXPECT_FALSE(refused.reason.empty()) << bytes;
    EXPECT_EQ(outcome(bytes.substr(0, bytes.size() - 1)).text, "need more") << bytes;
  }
}

TEST(Head, is_refused_where_its_fields_can_be_read_in_two_ways) {
  const std::pair<std::string, const char*> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a,b\r\nHost: a,b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a%2\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: [::1]80\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", "400"},
      {with("Host: localhost\r\n"), "400"},
      {with("host: other\r\n"), "400"},
      {with("Host: localhost\r\n", "GET / HTTP/1.0"), "400"},
      {with("Content-Length: 4\r\nContent-Length: 4\r\n"), "400"},
      {with("Content-Length: 4\r\ncontent-length: 5\r\n"), "400"},
      {with("Content-Length: 4, 4\r\n"), "400"},
      {with("Content-Length: 4,\r\n"), "400"},
      {with("Content-Length:\r\n"), "400"},
      {with("Content-Length: -1\r\n"), "400"},
      {with("Content-Length: +1\r\n"), "400"},
      {with("Content-Length: 0x1\r\n"), "400"},
      {with("Content-Length: 1 2\r\n"), "400"},
      {with("Content-Length: 1234567890123456789\r\n"), "400"},
      {with("Content-Length: 18446744073709551617\r\n"), "400"},
      {with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), "400"},
      {with("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), "400"},
      {with("Transfer-Encoding: gzip\r\nContent-Length: 4\r\n"), "400"},
      {with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), "400"},
      {with("Transfer-Encoding: gzip\r\n"), "400"},
      {with("Transfer-Encoding:\r\n"), "400"},
      {with("Transfer-Encoding: \"chunked\"\r\n"), "400"},
      {with("Transfer-Encoding: chunked;a=b\r\n"), "400"},
      {with("Transfer-Encoding: xchunked\r\n"), "400"},
      {with("Transfer-Encoding: chunked, gzip\r\n"), "400"},
      {with("Transfer-Encoding: gzip, chunked\r\n"), "501"},
      {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "400"},
      {with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), "400"},
      {with("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0"), "400"},
      {with("Expect: a miracle\r\n"), "417"},
      {with("Expect: 100-continue, a miracle\r\n"), "417"},
      {with("Expect:\r\n"), "417"},
      {with("", "GET * HTTP/1.1"), "400"},
      {with("", "GET a HTTP/1.1"), "400"},
      {with("", "GET localhost:80 HTTP/1.1"), "400"},
      {with("", "CONNECT localhost:80 HTTP/1.1"), "400"},
      {with("", "GET https://localhost/ HTTP/1.1"), "400"},
      {with("", "GET http:// HTTP/1.1"), "400"},
      {with("", "GET http://other/ HTTP/1.1"), "400"},
      {with("", "GET http://localhost?a HTTP/1.1"), "400"},
  };
  for (const auto& [head, status] : cases) {
    const auto refused = outcome(head);
    EXPECT_EQ(refused.text, status) << head << refused;
    EXPECT_EQ(refused.size, head.size()) << head;
    EXPECT_FALSE(refused.reason.empty()) << head;
  }
}

TEST(Head, of_as_many_bytes_as_allowed_is_good) {
  const auto head = with("A: b\r\n");
  EXPECT_EQ(outcome(head, {head.size(), 10}).text, "complete");
  const auto refused = outcome(head, {head.size() - 1, 10});
  EXPECT_EQ(refused.text, "431");
  EXPECT_EQ(refused.size, head.size() - 1);
}

TEST(Head, with_a_request_line_that_is_too_long_gets_414) {
  EXPECT_EQ(outcome("GET /" + std::string(95, 'a'), {100, 10}).text, "need more");
  EXPECT_EQ(outcome("GET /" + std::string(96, 'a'), {100, 10}).text, "414");
  EXPECT_EQ(outcome(std::string(101, 'M'), {100, 10}).text, "414");
}

TEST(Head, of_as_many_fields_as_allowed_is_good) {
  std::string fields;
  for (int i = 0; i < 9; ++i) fields += "A: b\r\n";
  EXPECT_EQ(outcome(with(fields), {1 << 20, 10}).text, "complete");
  const auto refused = outcome(with(fields + "C: d\r\n"), {1 << 20, 10});
  EXPECT_EQ(refused.text, "431");
  EXPECT_EQ(refused.size, with(fields).size() - 1);  // at its first byte
}

TEST(Head, is_looked_at_once_however_it_is_cut) {
  // Rescanning would take hours.
  const HeadLimits limits{64 << 20, 10};
  HeadReader reader{limits};
  ASSERT_EQ(reader.feed("GET / HTTP/1.1\r\nA: "), HeadReader::Result::need_more);
  for (int i = 0; i < (4 << 20); ++i) {
    ASSERT_EQ(reader.feed("a"), HeadReader::Result::need_more);
  }
  EXPECT_EQ(reader.feed("\r\n\r\n"), HeadReader::Result::complete);
}

class Built {
 public:
  explicit Built(std::string head) : head_(std::move(head)) {
    HeadReader reader{limits_};
    EXPECT_EQ(reader.feed(head_), HeadReader::Result::complete);
    EXPECT_FALSE(RequestBuilder::build(head_, reader.field_count(), request_, traits));
  }
  const Request* operator->() const { return &request_; }
  bool holds(std::string_view view) const {
    return view.data() >= head_.data() && view.data() + view.size() <= head_.data() + head_.size();
  }

 private:
  HeadLimits limits_;
  std::string head_;
  Request request_;

 public:
  RequestTraits traits;
};

TEST(RequestViews, are_into_the_head) {
  const Built request{"\r\nGET /chat/blue?since=3 HTTP/1.1\r\nHost: a\r\nX-Long:  v w \t\r\n\r\n"};
  EXPECT_EQ(request->method(), "GET");
  EXPECT_EQ(request->target(), "/chat/blue?since=3");
  EXPECT_EQ(request->path(), "/chat/blue");
  EXPECT_EQ(request->query(), "since=3");
  EXPECT_EQ(request->version(), 11);
  ASSERT_EQ(request->headers().size(), 2u);
  EXPECT_EQ(request->headers()[1].name, "X-Long");
  EXPECT_EQ(request->headers()[1].value, "v w");
  for (const auto& [name, value] : request->headers()) {
    EXPECT_TRUE(request.holds(name) && request.holds(value));
  }
  EXPECT_TRUE(request.holds(request->method()) && request.holds(request->target()));
  EXPECT_EQ(request->head(),
            "GET /chat/blue?since=3 HTTP/1.1\r\nHost: a\r\nX-Long:  v w \t\r\n\r\n");
  EXPECT_TRUE(request.holds(request->head()));
}

TEST(RequestHeaders, are_found_without_case_and_as_lists) {
  const Built request{
      with("Accept: a\r\nACCEPT: b\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n")};
  EXPECT_EQ(request->header("accept"), "a");
  EXPECT_EQ(request->header_count("Accept"), 2u);
  EXPECT_EQ(request->header("Absent"), "");
  EXPECT_EQ(request->header_count("Absent"), 0u);
  EXPECT_TRUE(request->header_has_token("connection", "upgrade"));
  EXPECT_FALSE(request->header_has_token("Connection", "keep"));
  EXPECT_TRUE(request->is_websocket_upgrade());
  EXPECT_FALSE(Built { with("Upgrade: websocket\r\n") } -> is_websocket_upgrade());
  EXPECT_FALSE(Built { with("Connection: upgrade\r\n") } -> is_websocket_upgrade());
}

TEST(RequestTarget, in_absolute_form_becomes_a_path) {
  EXPECT_EQ(Built { with("", "GET http://localhost/a?b HTTP/1.1") } -> target(), "/a?b");
  EXPECT_EQ(Built { with("", "GET http://LOCALHOST HTTP/1.1") } -> target(), "/");
}

TEST(RequestTraits, say_what_follows) {
  EXPECT_TRUE(Built{with("")}.traits.keep_alive);
  EXPECT_FALSE(Built{with("Connection: x, Close\r\n")}.traits.keep_alive);
  EXPECT_FALSE(Built{with("", "GET / HTTP/1.0")}.traits.keep_alive);
  EXPECT_TRUE(Built{with("Connection: Keep-Alive\r\n", "GET / HTTP/1.0")}.traits.keep_alive);
  EXPECT_TRUE(Built{with("")}.traits.body.is_empty());
  EXPECT_TRUE(Built{with("Content-Length: 00\r\n")}.traits.body.is_empty());
  EXPECT_EQ(Built{with("Content-Length: 010\r\n")}.traits.body.length, 10u);
  EXPECT_TRUE(Built{with("Transfer-Encoding: chunked\r\n")}.traits.body.chunked);
  EXPECT_FALSE(Built{with("")}.traits.expects_continue);
  EXPECT_TRUE(Built{with("Expect: 100-Continue\r\n")}.traits.expects_continue);
  EXPECT_FALSE(Built{with("Expect: 100-continue\r\n", "GET / HTTP/1.0")}.traits.expects_continue);
}

}  // namespace
}  // namespace hotline::http
