#include "tools/line_editor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// libtinfo forgets a few bytes each time that a terminal's description is read.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:_nc_trim_sgr0\n"; }

namespace hotline::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A terminal whose keys and screen are the test's.
class LineEditorTest : public testing::Test, protected LineEditor::Screen {
 protected:
  LineEditorTest() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EXPECT_EQ(::grantpt(master_), 0);
    EXPECT_EQ(::unlockpt(master_), 0);
    terminal_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT_GE(terminal_, 0);
    ::setenv("TERM", "xterm", 1);
    ::setenv("HOME", directory_.c_str(), 1);  // no ~/.editrc
    ::tcgetattr(terminal_, &modes_);
  }
  ~LineEditorTest() {
    editor_.reset();
    ::close(terminal_);
    ::close(master_);
    std::filesystem::remove_all(directory_);
  }

  LineEditor& open(const std::string& history = "") {
    editor_.emplace(terminal_, "> ", history, static_cast<LineEditor::Screen&>(*this));
    return *editor_;
  }
  void close() { editor_.reset(); }
  bool modes_are_as_before() const {
    termios now{};
    ::tcgetattr(terminal_, &now);
    return now.c_lflag == modes_.c_lflag && now.c_iflag == modes_.c_iflag;
  }
  std::string history_file() const { return directory_ + "/history"; }
  /// What was shown since it was last asked.
  std::string shown() { return std::exchange(shown_, {}); }

  std::vector<std::string> lines_;
  bool ended_ = false;

 private:
  void show(std::string_view bytes) override { shown_ += bytes; }
  void typed(std::string line) override { lines_.push_back(std::move(line)); }
  void ended() override { ended_ = true; }

  static std::string make_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "line_editor.XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }

  const std::string directory_ = make_directory();
  const int master_;
  int terminal_ = -1;
  termios modes_{};
  std::string shown_;
  std::optional<LineEditor> editor_;
};

TEST_F(LineEditorTest, gives_the_lines_that_are_typed) {
  auto& editor = open();
  EXPECT_THAT(shown(), HasSubstr("> "));
  editor.feed("one");
  EXPECT_TRUE(lines_.empty());
  EXPECT_THAT(shown(), HasSubstr("one"));
  editor.feed("\ntwo\n\nthr");
  editor.feed("ee\n");
  EXPECT_THAT(lines_, ElementsAre("one", "two", "", "three"));
}

TEST_F(LineEditorTest, waits_for_the_rest_of_a_character_and_of_a_key) {
  auto& editor = open();
  editor.feed("\xc3");
  editor.feed("\xa9t\xff\xe9");  // two bytes that are none
  editor.feed("!\x1b");
  editor.feed("[D");  // left
  editor.feed("?\n");
  EXPECT_THAT(lines_, ElementsAre("\xc3\xa9t?!"));
}

TEST_F(LineEditorTest, prints_above_the_line) {
  auto& editor = open();
  editor.feed("half");
  shown();
  editor.print_above("a message\n");
  const auto bytes = shown();
  EXPECT_TRUE(bytes.starts_with("\r\x1b[Ja message\n")) << bytes;
  EXPECT_THAT(bytes, HasSubstr("> half"));
  editor.feed(" and half\n");
  EXPECT_THAT(lines_, ElementsAre("half and half"));
}

TEST_F(LineEditorTest, goes_up_to_where_a_long_line_begins) {
  auto& editor = open();
  editor.feed(std::string(200, 'x'));  // of 80 columns
  shown();
  editor.print_above("a message\n");
  EXPECT_TRUE(shown().starts_with("\r\x1b[2A\x1b[Ja message\n"));
}

TEST_F(LineEditorTest, ends_at_control_d_and_gives_the_terminal_back) {
  auto& editor = open();
  EXPECT_FALSE(modes_are_as_before());
  editor.feed("x\x04\x7f");  // not on a line that has something
  EXPECT_FALSE(ended_);
  editor.feed("\x04");
  EXPECT_TRUE(ended_);
  EXPECT_TRUE(editor.has_ended());
  shown();
  editor.print_above("a message\n");
  EXPECT_EQ(shown(), "a message\n");
  close();
  EXPECT_TRUE(modes_are_as_before());
}

TEST_F(LineEditorTest, gives_the_terminal_back_for_a_while) {
  auto& editor = open();
  editor.feed("half");
  editor.pause();
  EXPECT_TRUE(modes_are_as_before());
  shown();
  editor.go_on();
  EXPECT_FALSE(modes_are_as_before());
  EXPECT_THAT(shown(), HasSubstr("> half"));
}

TEST_F(LineEditorTest, remembers_what_was_typed_but_for_secrets) {
  open(history_file()).feed("first\n secret\nsecond\n");
  close();
  auto& editor = open(history_file());
  editor.feed("\x1b[A\n");
  editor.feed("\x1b[A\x1b[A\n");
  EXPECT_EQ(lines_.at(3), "second");
  EXPECT_EQ(lines_.at(4), "first");
  const auto allowed = std::filesystem::status(history_file()).permissions();
  using std::filesystem::perms;
  EXPECT_EQ(allowed & (perms::group_all | perms::others_all), perms::none);
}

}  // namespace
}  // namespace hotline::tools
