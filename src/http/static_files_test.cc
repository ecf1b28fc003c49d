#include <hotline/http/static_files.h>

#include <sys/fsuid.h>
#include <sys/un.h>

#include <hotline/base/error.h>

#include "http/static_directory.h"
#include "http/static_fixture.h"

namespace hotline::http::testing {
namespace {

// A site that serves a tree below /f/, and a client of it.
class StaticFiles : public ::testing::Test {
 public:
  explicit StaticFiles(StaticOptions options = {})
      : server_(serve(site, tree, std::move(options))), client(site.connect()) {}

  Reply fetch(std::string_view target, std::string_view fields = "") {
    return Reply{client.exchange(get("/f/" + std::string(target), fields))};
  }
  Reply fetch_with(std::string_view method, std::string_view target, std::string_view fields = "") {
    const auto line = std::string(method) + " /f/" + std::string(target) + " HTTP/1.1";
    return Reply{client.exchange(request(line, fields))};
  }
  int status(std::string_view target) { return fetch(target).status; }

  Site site;
  Tree tree;

 private:
  static int serve(Site& site, Tree& tree, StaticOptions options) {
    site.handle("/f/", directory(tree.path(), std::move(options)));
    return 0;
  }
  int server_;

 public:
  Client client;
};

TEST_F(StaticFiles, are_served_with_what_a_client_may_ask_about) {
  tree.write("a/b.css", "b{}");
  const auto reply = fetch("a/b.css");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "b{}");
  EXPECT_EQ(reply.field("Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(reply.field("Content-Length"), "3");
  EXPECT_EQ(reply.field("Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(reply.field("Accept-Ranges"), "bytes");
  EXPECT_EQ(reply.field("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(reply.field("Cache-Control"), "");
  const auto etag = reply.field("ETag");
  EXPECT_TRUE(etag.size() > 10 && etag.front() == '"' && etag.back() == '"') << etag;
  EXPECT_EQ(site.sessions(), 1u) << "and the connection goes on";
}

TEST_F(StaticFiles, are_not_sent_to_who_asks_for_the_head) {
  tree.write("a.txt", "text");
  const auto reply = fetch_with("HEAD", "a.txt");
  EXPECT_EQ(reply.head, fetch("a.txt").head);
  EXPECT_EQ(reply.body, "");
}

TEST_F(StaticFiles, are_for_get_and_head) {
  tree.write("a.txt", "text");
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
    const auto reply = fetch_with(method, "a.txt");
    EXPECT_EQ(reply.status, 405);
    EXPECT_EQ(reply.field("Allow"), "GET, HEAD");
  }
}

TEST_F(StaticFiles, have_the_type_of_their_extension) {
  const std::pair<const char*, const char*> rows[] = {
      {"a.html", "text/html; charset=utf-8"},
      {"a.HTM", "text/html; charset=utf-8"},
      {"a.js", "text/javascript; charset=utf-8"},
      {"a.min.mjs", "text/javascript; charset=utf-8"},
      {"a.svg", "image/svg+xml"},
      {"a.wasm", "application/wasm"},
      {"a", "application/octet-stream"},
      {"a.html.", "application/octet-stream"},
      {"html", "application/octet-stream"},
      {"x.html/a", "application/octet-stream"}};
  for (const auto& [name, type] : rows) {
    tree.write(std::string("types/") + name, "");
    EXPECT_EQ(fetch(std::string("types/") + name).field("Content-Type"), type) << name;
  }
}

TEST_F(StaticFiles, may_be_empty_or_large) {
  tree.write("empty", "");
  std::string large(300'000, 'x');
  for (std::size_t i = 0; i < large.size(); i += 7) large[i] = static_cast<char>(i);
  tree.write("large", large);
  EXPECT_EQ(fetch("empty").body, "");
  EXPECT_EQ(fetch("empty").field("Content-Length"), "0");
  EXPECT_EQ(fetch("large").body, large);
}

TEST_F(StaticFiles, have_an_index_where_the_path_ends_in_a_slash) {
  tree.write("index.html", "top");
  tree.write("sub/index.html", "sub");
  tree.write("bare/a", "a");
  EXPECT_EQ(fetch("").body, "top");
  EXPECT_EQ(fetch("sub/").body, "sub");
  EXPECT_EQ(fetch("sub/").field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(status("bare/"), 404) << "nothing is listed";
  EXPECT_EQ(status("bare"), 404);
  EXPECT_EQ(status("bare/a/"), 404);
  const auto moved = fetch("sub?q=%2F");
  EXPECT_EQ(moved.status, 301);
  EXPECT_EQ(moved.field("Location"), "/f/sub/?q=%2F");
}

TEST_F(StaticFiles, are_not_found_where_there_are_none) {
  tree.write("a", "a");
  for (const auto* target : {"b", "a/b", "a/", "nowhere/x", "A", "a%", "a%20"}) {
    EXPECT_EQ(status(target), 404) << target;
  }
  EXPECT_EQ(status(std::string(300, 'n')), 404) << "too long for a name";
  EXPECT_EQ(status(std::string(9000, '/')), 301);
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "d/";
  EXPECT_EQ(status(deep), 404) << "too long for a path";
}

TEST_F(StaticFiles, may_have_any_name) {
  tree.write("a b", "blank");
  tree.write("\xc3\xa4", "umlaut");
  tree.write("a\\b", "backslash");
  tree.write("a%2F", "percent");
  tree.write("...", "dots");
  EXPECT_EQ(fetch("a%20b").body, "blank");
  EXPECT_EQ(fetch("%C3%A4").body, "umlaut");
  EXPECT_EQ(fetch("a%5Cb").body, "backslash");
  EXPECT_EQ(fetch("a%252F").body, "percent");
  EXPECT_EQ(status("..."), 404) << "begins with a dot";
}

TEST_F(StaticFiles, cannot_be_reached_around_the_root) {
  tree.write("secret", "secret");
  tree.write("root/a", "a");
  tree.write("root/sub/b", "b");
  site.handle("/r/", directory(tree.path("root")));
  for (const auto* target :
       {"..%2Fsecret", "%2e%2e%2Fsecret", "sub%2F..%2F..%2Fsecret", "..%5Csecret", "..\\secret",
        "sub/..%2f..%2fsecret", "%2Fetc%2Fpasswd", "a%00", "a%00/..", "%00", "sub%2Fb",
        "....//secret", "%252e%252e/secret", "%c0%ae%c0%ae/secret", "..;/secret", "%2e%2e;/secret",
        "~root"}) {
    auto reply = Reply{client.exchange(get("/r/" + std::string(target)))};
    EXPECT_TRUE(reply.status == 404 || reply.status == 301) << target << reply.status;
    EXPECT_EQ(reply.body.find("secret"), std::string::npos) << target;
  }
  for (const auto* target : {"../secret", "%2e%2E/secret", "sub/../../secret", ".%2e/secret",
                             "../../../../../../etc/passwd", "/etc/passwd", "a/../../secret"}) {
    const auto reply = Reply{client.exchange(get("/r/" + std::string(target)))};
    EXPECT_EQ(reply.status, 301) << target;
    EXPECT_EQ(reply.field("Location").find(".."), std::string::npos);
  }
}

TEST_F(StaticFiles, hide_what_begins_with_a_dot) {
  tree.write(".env", "key");
  tree.write(".git/config", "key");
  tree.write("a/.b/c", "key");
  for (const auto* target : {".env", "%2eenv", ".git/config", "a/.b/c", "a/%2Eb/c"}) {
    EXPECT_EQ(status(target), 404) << target;
  }
  site.handle("/all/", directory(tree.path(), {.dotfiles = true}));
  EXPECT_EQ(Reply{client.exchange(get("/all/.git/config"))}.body, "key");
}

TEST_F(StaticFiles, follow_links_that_stay_inside) {
  tree.write("secret", "secret");
  tree.write("root/sub/a", "a");
  tree.link("root/inside", "sub/a");
  tree.link("root/up", "sub/../sub");
  tree.link("root/out", "../secret");
  tree.link("root/absolute", tree.path("secret"));
  tree.link("root/all", "/");
  tree.link("root/self", "self");
  tree.link("root/back", tree.path("root/sub/a"));
  const auto ask = [&](const std::string& target) { return Reply{client.exchange(get(target))}; };
  for (const auto how : {beneath_here(), Beneath::each_no_links}) {
    const auto prefix = how == Beneath::kernel ? std::string("/k/") : std::string("/e/");
    const auto served =
        std::make_shared<const StaticDirectory>(tree.path("root"), StaticOptions{}, how);
    site.handle(prefix + "{file...}",
                [served](Exchange exchange) { return served->serve(std::move(exchange)); });
    EXPECT_EQ(ask(prefix + "sub/a").body, "a");
    const int followed = how == Beneath::kernel ? 200 : 404;
    EXPECT_EQ(ask(prefix + "inside").status, followed);
    EXPECT_EQ(ask(prefix + "up/a").status, followed);
    for (const auto* target : {"out", "absolute", "all/etc/passwd", "self", "back", "none/x"}) {
      EXPECT_EQ(ask(prefix + target).status, 404) << prefix << target;
    }
  }
}

TEST_F(StaticFiles, are_regular_and_nothing_else_is_waited_for) {
  tree.fifo("fifo");
  tree.link("null", "/dev/null");
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  tree.path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
  for (const auto* name : {"fifo", "null", "socket"}) EXPECT_EQ(status(name), 404) << name;
}

TEST_F(StaticFiles, that_may_not_be_read_are_forbidden) {
  tree.write("a", "a");
  tree.write("b", "b");
  ASSERT_EQ(::chmod(tree.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(tree.path("a").c_str(), 0), 0);
  ASSERT_EQ(::chmod(tree.path("b").c_str(), 0644), 0);
  const auto nobody = static_cast<uid_t>(65534);
  const auto us = static_cast<uid_t>(::setfsuid(nobody));  // root may read all, and may be another
  EXPECT_EQ(status("a"), 403);
  EXPECT_EQ(status("b"), 200);
  ::setfsuid(us);
}

TEST_F(StaticFiles, are_not_sent_again_where_nothing_has_changed) {
  tree.write("a", "one");
  const auto etag = fetch("a").field("ETag");
  const auto not_modified = fetch("a", "If-None-Match: \"x\", W/" + etag + "\r\n");
  EXPECT_EQ(not_modified.status, 304);
  EXPECT_EQ(not_modified.body, "");
  EXPECT_EQ(not_modified.field("ETag"), etag);
  EXPECT_EQ(not_modified.field("Content-Type"), "");
  EXPECT_EQ(fetch("a", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n").status, 304);
  EXPECT_EQ(fetch("a", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n").status, 200);
  EXPECT_EQ(fetch("a", "If-Match: \"x\"\r\n").status, 412);
  tree.write("a", "two", Tree::made + 1);
  EXPECT_EQ(fetch("a", "If-None-Match: " + etag + "\r\n").body, "two");
}

TEST_F(StaticFiles, change_their_etag_with_their_time_their_size_or_another_file_in_their_place) {
  tree.write("a", "one");
  const auto first = fetch("a").field("ETag");
  EXPECT_EQ(fetch("a").field("ETag"), first);
  tree.write("a", "four");
  const auto second = fetch("a").field("ETag");
  EXPECT_NE(second, first);
  tree.write("a", "four", Tree::made + 1);
  const auto third = fetch("a").field("ETag");
  EXPECT_NE(third, second);
  tree.write("b", "four", Tree::made + 1);
  std::filesystem::rename(tree.path("b"), tree.path("a"));
  EXPECT_NE(fetch("a").field("ETag"), third);
}

TEST_F(StaticFiles, are_sent_in_part) {
  tree.write("a", "0123456789");
  const auto part = fetch("a", "Range: bytes=2-4\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.field("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(part.field("Content-Length"), "3");
  EXPECT_EQ(fetch("a", "Range: bytes=-3\r\n").body, "789");
  EXPECT_EQ(fetch("a", "Range: bytes=9-\r\n").field("Content-Range"), "bytes 9-9/10");
  EXPECT_EQ(fetch("a", "Range: bytes=0-0,5-6\r\n").body, "0123456789");
  const auto beyond = fetch("a", "Range: bytes=10-\r\n");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.field("Content-Range"), "bytes */10");
  EXPECT_EQ(fetch_with("HEAD", "a", "Range: bytes=2-4\r\n").status, 200);
  EXPECT_EQ(fetch("a", "Range: bytes=2-4\r\nIf-Range: " + part.field("ETag") + "\r\n").body, "234");
  EXPECT_EQ(fetch("a", "Range: bytes=2-4\r\nIf-Range: \"old\"\r\n").body, "0123456789");
  EXPECT_EQ(fetch("a", "Range: bytes=10-\r\nIf-None-Match: " + part.field("ETag") + "\r\n").status,
            304);
}

TEST_F(StaticFiles, that_become_shorter_while_they_are_sent_cut_the_connection) {
  tree.write("a", std::string(8'000'000, 'a'));
  auto slow = site.connect();
  slow.send(get("/f/a"));
  EXPECT_EQ(slow.receive_raw(1000).size(), 1000u);
  EXPECT_EQ(site.handlers(), 1u) << "it waits for its client";
  tree.truncate("a", 10);
  EXPECT_LT(slow.receive_raw().size(), 7'000'000u);
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_TRUE(slow.was_reset() || slow.ended());
  EXPECT_NE(site.loop.log().lines.back().find("became shorter"), std::string::npos);
}

TEST_F(StaticFiles, that_grow_while_they_are_sent_are_sent_as_they_were) {
  const std::string before(3'000'000, 'a');
  tree.write("a", before);
  client.send(get("/f/a"));
  auto bytes = client.receive_raw(1000);
  tree.write("a", before + "more");
  bytes += client.receive_raw();
  EXPECT_EQ(Reply{bytes}.body.size(), before.size());
  EXPECT_EQ(status("a"), 200);
}

TEST_F(StaticFiles, let_others_have_their_turn_while_they_are_sent) {
  tree.write("a", std::string(8'000'000, 'a'));
  std::size_t handlers = 0;
  site.use([&](Exchange exchange, const Handler& next) {
    site.loop->post([&] { handlers = site.handlers(); });
    return next(std::move(exchange));
  });
  MemoryStreamOptions wide;
  wide.capacity = 16'000'000;
  EXPECT_GT(site.connect(wide).exchange(get("/f/a")).size(), 8'000'000u);
  EXPECT_EQ(handlers, 1u) << "it was still at it";
}

TEST_F(StaticFiles, are_served_anew_when_their_directory_is_replaced) {
  tree.write("one/a", "1");
  tree.write("two/a", "2");
  tree.link("current", "one");
  site.handle("/c/", directory(tree.path("current")));
  EXPECT_EQ(Reply{client.exchange(get("/c/a"))}.body, "1");
  std::filesystem::remove(tree.path("current"));
  EXPECT_EQ(Reply{client.exchange(get("/c/a"))}.status, 404);
  tree.link("current", "two");
  EXPECT_EQ(Reply{client.exchange(get("/c/a"))}.body, "2");
}

TEST_F(StaticFiles, carry_the_cache_control_and_the_index_they_are_given) {
  tree.write("home", "home");
  site.handle("/o/", directory(tree.path(), {.index = "home", .cache_control = "max-age=60"}));
  site.handle("/n/", directory(tree.path(), {.index = ""}));
  EXPECT_EQ(Reply{client.exchange(get("/o/"))}.field("Cache-Control"), "max-age=60");
  EXPECT_EQ(Reply{client.exchange(get("/o/"))}.body, "home");
  EXPECT_EQ(Reply{client.exchange(get("/n/"))}.status, 404);
}

TEST_F(StaticFiles, need_a_directory_and_sensible_options) {
  tree.write("a", "a");
  EXPECT_THROW(directory(""), Error);
  EXPECT_THROW(directory(tree.path("a")), Error);
  EXPECT_THROW(directory(tree.path("none")), Error);
  EXPECT_THROW(directory(tree.path(), {.index = "a/b"}), Error);
  EXPECT_THROW(directory(tree.path(), {.index = ".."}), Error);
  EXPECT_THROW(directory(tree.path(), {.cache_control = "a\r\nb"}), Error);
  try {
    directory(tree.path("none"));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_NE(std::string(error.what()).find("none"), std::string::npos);
  }
}

}  // namespace
}  // namespace hotline::http::testing
