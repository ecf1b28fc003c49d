#include "http/body_decoder.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace hotline::http {
namespace {

const HeadLimits limits{300, 3};

// What a body comes to: its bytes, and what follows it; or "refused: " and why, after how many
// bytes.
template <typename Cut>
std::string outcome(std::string_view bytes, const BodyFraming& framing, const Cut& cut) {
  BodyDecoder decoder{limits, framing};
  std::string body;
  std::size_t at = 0;
  std::size_t given = 0;
  while (!decoder.complete()) {
    const auto step = decoder.next(bytes.substr(at, given - at));
    at += step.taken;
    body += step.piece;
    EXPECT_EQ(decoder.received(), body.size());
    if (step.result == BodyDecoder::Result::refused) {
      return "refused at " + std::to_string(at) + ": " + std::string(decoder.refusal().reason);
    }
    EXPECT_EQ(step.result == BodyDecoder::Result::piece, !step.piece.empty());
    if (step.result != BodyDecoder::Result::need_more) continue;
    EXPECT_EQ(at, given) << "nothing is left over where more is needed";
    if (given == bytes.size()) return body + " and more is needed";
    given += std::min(bytes.size() - given, cut());
  }
  return body + " and " + std::string(bytes.substr(at));
}

// The same, however it is cut.
std::string outcome(std::string_view bytes, const BodyFraming& framing) {
  const auto whole = outcome(bytes, framing, [] { return std::string_view::npos; });
  EXPECT_EQ(outcome(bytes, framing, [] { return std::size_t{1}; }), whole);
  std::minstd_rand random{1};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(outcome(bytes, framing, [&] { return 1 + random() % 7; }), whole);
  }
  return whole;
}
std::string chunked(std::string_view bytes) { return outcome(bytes, {.chunked = true}); }

TEST(BodyDecoder, takes_as_many_bytes_as_were_announced) {
  EXPECT_EQ(outcome("hello, next", {.length = 5}), "hello and , next");
  EXPECT_EQ(outcome("hell", {.length = 5}), "hell and more is needed");
  EXPECT_EQ(outcome("next", {}), " and next");
}

TEST(BodyDecoder, takes_chunks) {
  EXPECT_EQ(chunked("5\r\nhello\r\n0\r\n\r\nnext"), "hello and next");
  EXPECT_EQ(chunked("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n"), "hello, world and ");
  EXPECT_EQ(chunked("0\r\n\r\n"), " and ");
  EXPECT_EQ(chunked("000\r\n\r\n"), " and ");
  EXPECT_EQ(chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
            "01234567890123456789 and ");
  EXPECT_EQ(chunked("0000000000000002\r\n\r\n\r\n0\r\n\r\n"), "\r\n and ");
  EXPECT_EQ(chunked("10\r\n0123456789abcdef\r\n0\r\n\r"), "0123456789abcdef and more is needed");
}

TEST(BodyDecoder, drops_extensions_and_trailers) {
  EXPECT_EQ(chunked("2;a=b\r\nhi\r\n0;c\r\n\r\nnext"), "hi and next");
  EXPECT_EQ(chunked("2 ; a=\"b;c\"\t\r\nhi\r\n0\r\n\r\n"), "hi and ");
  EXPECT_EQ(chunked("0\r\nA: b\r\nContent-Length: 7\r\n\r\nnext"), " and next");
}

TEST(BodyDecoder, refuses_chunks_at_the_first_byte_that_is_wrong) {
  const std::string no_size = "the size of a chunk is not a hexadecimal number";
  const std::string too_large = "the size of a chunk is too large";
  const std::string wrong_end = "a chunk does not end where its size says";
  const std::string bare_lf = "a line feed without a carriage return";
  const std::string bare_cr = "a carriage return without a line feed";
  const std::string behind = "something else than an extension behind the size of a chunk";
  const std::pair<std::string, std::string> rows[] = {
      {"\r\n", "refused at 1: " + no_size},
      {" 5\r\n", "refused at 1: " + no_size},
      {"+5\r\n", "refused at 1: " + no_size},
      {"-5\r\n", "refused at 1: " + no_size},
      {"0x5\r\n", "refused at 2: " + no_size},
      {"5g\r\n", "refused at 2: " + no_size},
      {";a\r\n", "refused at 1: " + no_size},
      {"5\n", "refused at 2: " + bare_lf},
      {"5\rh", "refused at 3: " + bare_cr},
      {"5 \r\n", "refused at 3: " + behind},
      {"5 5\r\n", "refused at 3: " + behind},
      {"5;a\n", "refused at 4: " + bare_lf},
      {"5;a\rb", "refused at 5: " + bare_cr},
      {std::string("5;\0", 3), "refused at 3: a control byte in the extension of a chunk"},
      {"7fffffffffffffff0\r\n", "refused at 17: " + too_large},
      {"8000000000000000\r\n", "refused at 16: " + too_large},
      {"ffffffffffffffff\r\n", "refused at 16: " + too_large},
      {"00000000000000001\r\n", "refused at 17: " + too_large},
      {"1\r\nx\r\n7fffffffffffffff\r\n", "refused at 22: " + too_large},
      {"2\r\nhello\r\n", "refused at 6: " + wrong_end},
      {"2\r\nhi\n0\r\n\r\n", "refused at 6: " + wrong_end},
      {"2\r\nhi\rx", "refused at 7: " + wrong_end},
      {"2\r\nh\r\n0\r\n\r\n", "refused at 6: " + wrong_end},
      {"0\r\n\n", "refused at 4: " + bare_lf},
      {"0\r\n a: b\r\n\r\n", "refused at 4: a header line begins with a blank"},
      {"0\r\na\r\n\r\n", "refused at 5: the name of a header field is not a token"},
      {"0\r\na : b\r\n\r\n", "refused at 5: a blank before the colon of a header field"},
      {"0\r\na: b\n\r\n", "refused at 8: " + bare_lf},
      {"0\r\na: b\r\na: b\r\na: b\r\na: b\r\n\r\n",
       "refused at 22: the request has too many header fields"},
      {"0\r\na: " + std::string(400, 'b'), "refused at 303: the head of the request is too long"},
  };
  for (const auto& [bytes, wanted] : rows) EXPECT_EQ(chunked(bytes), wanted) << bytes;
}

TEST(BodyDecoder, takes_the_largest_chunk) {
  BodyDecoder decoder{limits, {.chunked = true}};
  EXPECT_EQ(decoder.next("7fffffffffffffff\r\n").result, BodyDecoder::Result::need_more);
  EXPECT_EQ(decoder.announced(), 0x7fff'ffff'ffff'ffffu);
}

TEST(BodyDecoder, bounds_the_extensions_of_a_body) {
  const std::string within =
      "1;" + std::string(BodyDecoder::most_extensions / 2 - 1, 'a') + "\r\nx\r\n";
  EXPECT_EQ(chunked(within + within + "0\r\n\r\n"), "xx and ");
  EXPECT_EQ(chunked(within + within + "1;a\r\n").substr(0, 7), "refused");
  const std::string blanks(BodyDecoder::most_extensions + 1, ' ');
  EXPECT_EQ(chunked("1" + blanks).substr(0, 7), "refused");
}

TEST(BodyDecoder, refuses_for_ever) {
  BodyDecoder decoder{limits, {.chunked = true}};
  EXPECT_EQ(decoder.next("x").result, BodyDecoder::Result::refused);
  const auto again = decoder.next("0\r\n\r\n");
  EXPECT_EQ(again.result, BodyDecoder::Result::refused);
  EXPECT_EQ(again.taken, 0u);
}

}  // namespace
}  // namespace hotline::http
