// Redirects, and what is not told to whom they lead to; cookies.
#include "websocket/dialer_fixture.h"

namespace hotline::websocket {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::string redirect(std::string_view location, int status = 302, std::string_view fields = "") {
  return "HTTP/1.1 " + std::to_string(status) + " Elsewhere\r\nLocation: " + std::string(location) +
         "\r\n" + std::string(fields) + "Content-Length: 0\r\n\r\n";
}

TEST(Redirect, IsNotFollowedByDefault) {
  Dialling dialling;
  dialling.dial();
  dialling.answer(redirect("http://other.example/x"));
  EXPECT_EQ(dialling.refusal().status(), 302);
  EXPECT_THAT(dialling.error(),
              HasSubstr("302 Elsewhere to http://other.example/x, and redirects are not followed"));
}

TEST(Redirect, IsFollowedWithEachStatusThatIsOne) {
  for (const auto status : {301, 302, 303, 307, 308}) {
    Dialling dialling{{.redirects = 1}};
    dialling.dial();
    const auto key = dialling.header("Sec-WebSocket-Key");
    dialling.answer(redirect("/other?x=1", status));
    ASSERT_EQ(dialling.requests.size(), 2u) << status;
    EXPECT_THAT(dialling.request(), HasSubstr("GET /other?x=1 HTTP/1.1\r\nHost: example.org\r\n"));
    EXPECT_NE(dialling.header("Sec-WebSocket-Key"), key);
    dialling.accept_it();
    EXPECT_TRUE(dialling.connection) << dialling.error();
  }
}

TEST(Redirect, OtherStatusesAreNone) {
  for (const auto status : {300, 304, 305, 306, 200, 404}) {
    Dialling dialling{{.redirects = 1}};
    dialling.dial();
    dialling.answer(redirect("/other", status));
    EXPECT_EQ(dialling.refusal().status(), status);
  }
}

TEST(Redirect, LeadsToAnotherHost) {
  Dialling dialling{{.redirects = 2}};
  dialling.dial("ws://example.org/a");
  dialling.answer(redirect("http://other.example:81/b"));
  dialling.answer(redirect("c"));
  EXPECT_THAT(dialling.request(), HasSubstr("GET /c HTTP/1.1\r\nHost: other.example:81\r\n"));
  ASSERT_EQ(dialling.targets.size(), 3u);
  EXPECT_EQ(dialling.targets[2].host, "other.example");
  EXPECT_EQ(dialling.targets[2].port, 81);
}

TEST(Redirect, IsFollowedSoOftenAndNotMore) {
  Dialling dialling{{.redirects = 2}};
  dialling.dial();
  for (const auto* location : {"/1", "/2", "/3"}) dialling.answer(redirect(location));
  EXPECT_EQ(dialling.requests.size(), 3u);
  EXPECT_THAT(dialling.error(), HasSubstr("ws://example.org/2: 302 Elsewhere, after 2 redirects"));
}

TEST(Redirect, DoesNotLeadInACircle) {
  Dialling dialling{{.redirects = 20}};
  dialling.dial("ws://example.org/a");
  dialling.answer(redirect("/b"));
  dialling.answer(redirect("http://example.org:80/a#x"));
  EXPECT_THAT(dialling.error(), HasSubstr("in a circle: ws://example.org/a"));
  EXPECT_EQ(dialling.code(), Fault::upgrade_refused);
}

TEST(Redirect, NeedsALocationThatIsOne) {
  const auto error_of = [](std::string_view fields) {
    Dialling dialling{{.redirects = 1}};
    dialling.dial();
    dialling.answer("HTTP/1.1 302 Found\r\n" + std::string(fields) + "Content-Length: 0\r\n\r\n");
    EXPECT_EQ(dialling.refusal().status(), 302);
    return dialling.error();
  };
  EXPECT_THAT(error_of(""), HasSubstr("Location is missing"));
  EXPECT_THAT(error_of("Location: /a\r\nLocation: /b\r\n"), HasSubstr("more than once"));
  EXPECT_THAT(error_of("Location: ftp://h/\r\n"), HasSubstr("neither HTTP nor a WebSocket"));
  EXPECT_THAT(error_of("Location: http://a b/\r\n"), HasSubstr("percent-encoded"));
}

TEST(Redirect, TellsAnotherOriginNothingThatWasForTheFirst) {
  Dialling dialling{{.headers = {{"Authorization", "Bearer x"},
                                 {"Cookie", "a=b"},
                                 {"Host", "virtual"},
                                 {"X-A", "1"}},
                     .redirects = 3}};
  dialling.dial("ws://example.org/a");
  dialling.answer(redirect("/b"));
  EXPECT_EQ(dialling.header("Authorization"), "Bearer x");
  EXPECT_EQ(dialling.header("Cookie"), "a=b");
  EXPECT_EQ(dialling.header("Host"), "virtual");
  dialling.answer(redirect("http://example.org:81/c"));
  for (int round = 0; round < 2; ++round) {  // nor when it leads back
    EXPECT_EQ(dialling.header("Authorization"), "-");
    EXPECT_EQ(dialling.header("Cookie"), "-");
    EXPECT_EQ(dialling.header("Host"), round == 0 ? "example.org:81" : "example.org");
    EXPECT_EQ(dialling.header("X-A"), "1");
    if (round == 0) dialling.answer(redirect("http://example.org/d"));
  }
}

TEST(Redirect, TheUrlsPasswordStaysWithItsOrigin) {
  Dialling dialling{{.redirects = 2}};
  dialling.dial("ws://ann:secret@example.org/a");
  dialling.answer(redirect("/b"));
  EXPECT_THAT(dialling.header("Authorization"), HasSubstr("Basic "));
  dialling.answer(redirect("//other.example/b"));
  EXPECT_EQ(dialling.header("Authorization"), "-");
}

TEST(Redirect, TheDeadlineIsOverAllOfThem) {
  Dialling dialling{{.timeout = 5s, .redirects = 5}};
  dialling.dial();
  dialling.loop.advance(3s);
  dialling.answer(redirect("/b"));
  dialling.loop.advance(2s);
  EXPECT_EQ(dialling.code(), Fault::deadline_passed);
  EXPECT_THAT(dialling.error(), HasSubstr("ws://example.org/b: not within 5 s"));
}

// ---- Cookies

TEST(DialerCookies, AreTakenFromEveryAnswerAndSentBack) {
  const auto jar = std::make_shared<CookieJar>();
  Dialling dialling{{.headers = {{"Cookie", "own=1"}}, .cookies = jar, .redirects = 1}};
  dialling.dial("ws://example.org/a");
  EXPECT_EQ(dialling.header("Cookie"), "own=1");
  dialling.answer(redirect("/b", 302, "Set-Cookie: x=1\r\nset-cookie: y=2; Path=/c\r\n"));
  EXPECT_EQ(dialling.header("Cookie"), "own=1; x=1");
  dialling.accept_it("Set-Cookie: z=3\r\n");
  ASSERT_TRUE(dialling.connection) << dialling.error();
  EXPECT_EQ(jar->cookies_for("ws://example.org/"), "x=1; z=3");
}

TEST(DialerCookies, AreTakenFromARefusal) {
  const auto jar = std::make_shared<CookieJar>();
  Dialling dialling{{.cookies = jar}};
  dialling.dial();
  dialling.answer("HTTP/1.1 401 No\r\nSet-Cookie: id=1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(jar->cookies_for("ws://example.org/"), "id=1");
}

TEST(DialerCookies, OfOneHostAreNotSentToAnother) {
  const auto jar = std::make_shared<CookieJar>();
  Dialling dialling{{.cookies = jar, .redirects = 1}};
  dialling.dial("ws://example.org/a");
  dialling.answer(redirect("http://other.example/", 302, "Set-Cookie: x=1\r\n"));
  EXPECT_EQ(dialling.header("Cookie"), "-");
}

// ---- Who watches

class Diary final : public DialObserver {
 public:
  void done(DialStep step, Duration took) noexcept override {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(took).count();
    lines.push_back(std::string(name(step)) + " " + std::to_string(seconds));
  }
  void request(std::string_view head) noexcept override {
    lines.emplace_back(head.substr(0, head.find('\r')));
    EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  }
  void response(std::string_view head) noexcept override {
    lines.emplace_back(head.substr(0, head.find('\r')));
    EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  }
  void redirect(std::string_view url) noexcept override {
    lines.push_back("to " + std::string(url));
  }
  std::vector<std::string> lines;
};

TEST(DialObserver, SeesEveryStep) {
  const auto diary = std::make_shared<Diary>();
  Dialling dialling{{.redirects = 1, .dial_observer = diary}};
  dialling.dial("ws://example.org/a");
  dialling.answer("HTTP/1.1 100 Continue\r\n\r\n" + redirect("/b"));
  dialling.loop.advance(2s);
  dialling.accept_it();
  EXPECT_THAT(diary->lines,
              ElementsAre("connect 0", "GET /a HTTP/1.1", "HTTP/1.1 100 Continue",
                          "HTTP/1.1 302 Elsewhere", "to ws://example.org/b", "connect 0",
                          "GET /b HTTP/1.1", "HTTP/1.1 101 Switching Protocols", "upgrade 2"));
}

}  // namespace
}  // namespace hotline::websocket
