#include "tools/config_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tools/option_table.h"

namespace hotline::tools {
namespace {

using namespace std::chrono_literals;

class ConfigFile : public ::testing::Test {
 protected:
  ~ConfigFile() override { std::filesystem::remove(path_); }

  ServeOptions read(const std::string& text) {
    std::ofstream(path_) << text;
    ServeOptions options;
    read_config_file(path_, options);
    return options;
  }
  // What is wrong with it, without the file's name; "" if nothing is.
  std::string complaint(const std::string& text) {
    try {
      read(text);
      return "";
    } catch (const UsageError& error) {
      const std::string what = error.what();
      EXPECT_TRUE(what.starts_with(path_ + ":")) << what;
      return what.substr(path_.size() + 1);
    }
  }

  const std::string path_ =
      ::testing::TempDir() + "hotline_config_" + std::to_string(::getpid()) + ".toml";
};

TEST_F(ConfigFile, has_the_names_of_the_command_line) {
  const auto options = read(R"(
# a comment
[serve]
listen = ["127.0.0.1:8080", "unix:/run/x.sock"]
threads = 4
message-limit = "64k"
idle-timeout = "1m30s"
http-idle-timeout = "5s"
proxy-protocol = true
trusted-proxy = "10.0.0.0/8"
log-format = "json"
)");
  EXPECT_EQ(options.server.listen,
            (std::vector<std::string>{"127.0.0.1:8080", "unix:/run/x.sock"}));
  EXPECT_EQ(options.server.threads, 4u);
  EXPECT_EQ(options.upgrader.limits.message_size, 64u * 1024);
  EXPECT_EQ(options.upgrader.limits.idle_timeout, 90s);
  EXPECT_TRUE(options.server.proxy_protocol);
  EXPECT_EQ(options.server.trusted_proxies, std::vector<std::string>{"10.0.0.0/8"});
  EXPECT_EQ(options.log_format, LogFormat::json);
}

TEST_F(ConfigFile, may_be_empty_and_say_sizes_in_bytes) {
  EXPECT_EQ(read("").server.threads, 1u);
  EXPECT_EQ(read("[serve]\nmessage-limit = 1000\n").upgrader.limits.message_size, 1000u);
}

TEST_F(ConfigFile, is_told_what_is_wrong_and_where) {
  EXPECT_EQ(complaint("[serve]\nthread = 2\n"), "2: unknown key \"thread\" in [serve]");
  EXPECT_EQ(complaint("\nthreads = 2\n"),
            "2: unknown key \"threads\": options stand in the table [serve]");
  EXPECT_EQ(complaint("serve = 3"), "1: serve: a table is expected, that is, [serve]");
  EXPECT_EQ(complaint("[serve]\nthreads = \"2\"\n"),
            "2: threads: a number is expected, not a text");
  EXPECT_EQ(complaint("[serve]\nthreads = 0\n"),
            "2: threads: \"0\" is not a number from 1 to 1024");
  EXPECT_EQ(complaint("[serve]\nthreads = -1\n"),
            "2: threads: \"-1\" is not a number from 1 to 1024");
  EXPECT_EQ(complaint("[serve]\nthreads = [1]\n"), "2: threads: a number is expected, not a list");
  EXPECT_EQ(complaint("[serve]\nthreads = 1.5\n"),
            "2: threads: a number is expected, not a number with a fraction");
  EXPECT_EQ(complaint("[serve]\nproxy-protocol = \"yes\"\n"),
            "2: proxy-protocol: true or false is expected, not a text");
  EXPECT_EQ(complaint("[serve]\nidle-timeout = 30\n"),
            "2: idle-timeout: a text is expected, not a number");
  EXPECT_TRUE(complaint("[serve]\nidle-timeout = \"30\"\n")
                  .starts_with("2: idle-timeout: \"30\" is not a time above 0"));
  EXPECT_EQ(complaint("[serve]\nlisten = []\n"), "2: listen: the list is empty");
  EXPECT_EQ(complaint("[serve]\nlisten = [\n  \"[::1]:80\",\n  80,\n]\n"),
            "4: listen: a text, or a list of them, is expected, not a number");
  EXPECT_TRUE(complaint("[serve]\nthreads = = 1\n").starts_with("2: "));
  EXPECT_TRUE(complaint("[serve]\nthreads = 1\nthreads = 2\n").starts_with("3: "));
  EXPECT_EQ(complaint("[serve]\nlog-level = 1979-05-27\n"),
            "2: log-level: a text is expected, not a date or time");
}

TEST_F(ConfigFile, that_cannot_be_read_is_named) {
  ServeOptions options;
  try {
    read_config_file("/no/such/file", options);
    FAIL();
  } catch (const UsageError&) {
    FAIL() << "it is not the user's spelling that is wrong";
  } catch (const std::exception& error) {
    EXPECT_EQ(std::string(error.what()),
              "/no/such/file: cannot be read: No such file or directory");
  }
  try {
    read_config_file("/", options);
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_EQ(std::string(error.what()), "/: cannot be read: Is a directory");
  }
}

}  // namespace
}  // namespace hotline::tools
