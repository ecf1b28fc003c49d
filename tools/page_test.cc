#include "tools/page.h"

#include <gtest/gtest.h>

#include "tools/page_pieces.h"

namespace hotline::tools {
namespace {

// A JSON text of what stands for both heads.
std::string message(const std::string& request, const std::string& response) {
  return R"({"request": ")" + request + R"(", "response": ")" + response + R"("})";
}

TEST(HandshakeMessage, is_json_of_both_heads) {
  EXPECT_EQ(handshake_message("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n",
                              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
            message(R"(GET /echo HTTP/1.1\r\nHost: a\r\n\r\n)",
                    R"(HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n)"));
}

TEST(HandshakeMessage, escapes_what_json_cannot_hold_and_is_ascii_whatever_came) {
  EXPECT_EQ(handshake_message("GET /\"\\ HTTP/1.1\r\nUser-Agent: \t\xe9\xff\x7f\r\n\r\n", ""),
            message(R"(GET /\"\\ HTTP/1.1\r\nUser-Agent: \u0009\u00e9\u00ff\u007f\r\n\r\n)", ""));
}

TEST(HandshakeMessage, keeps_to_itself_what_a_page_must_not_come_to_know) {
  EXPECT_EQ(handshake_message("GET / HTTP/1.1\r\n"
                              "cookie:  id=12345 \r\n"
                              "Authorization: Basic eA==\r\n"
                              "X-Forwarded-Access-Token: t\r\n"
                              "host: a\r\n"
                              "X-Empty:\r\n\r\n",
                              "HTTP/1.1 101 Switching Protocols\r\n"
                              "set-cookie: id=2\r\n"
                              "X-Served-By: hotline\r\n\r\n"),
            message(R"(GET / HTTP/1.1\r\n)"
                    R"(cookie: [8 bytes not shown]\r\n)"
                    R"(Authorization: [10 bytes not shown]\r\n)"
                    R"(X-Forwarded-Access-Token: [1 bytes not shown]\r\n)"
                    R"(host: a\r\n)"
                    R"(X-Empty: [0 bytes not shown]\r\n\r\n)",
                    R"(HTTP/1.1 101 Switching Protocols\r\n)"
                    R"(set-cookie: [4 bytes not shown]\r\n)"
                    R"(X-Served-By: hotline\r\n\r\n)"));
}

// The page is one document that loads nothing: no address in it but names of namespaces.
TEST(PagePieces, name_nothing_to_load) {
  for (std::string piece :
       {std::string(page_html), std::string(page_style), std::string(page_script)}) {
    for (const std::string space : {"http://www.w3.org/2000/svg"}) {
      for (auto at = piece.find(space); at != std::string::npos; at = piece.find(space)) {
        piece.erase(at, space.size());
      }
    }
    ASSERT_GT(piece.size(), 5000u);
    for (const auto* word :
         {"http://", "https://", "@import", "//cdn", "innerHTML", "</script><"}) {
      EXPECT_EQ(piece.find(word), std::string::npos) << word;
    }
  }
}

}  // namespace
}  // namespace hotline::tools
