#include "tools/completions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/option_table.h"

namespace hotline::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

template <typename Options>
void expect_all(const std::vector<BasicOption<Options>>& table) {
  for (const auto& option : table) {
    if (option.group.empty()) continue;
    const std::string name{option.name};
    EXPECT_THAT(completions("bash"), HasSubstr(" --" + name));
    EXPECT_THAT(completions("zsh"), HasSubstr("--" + name + "["));
    EXPECT_THAT(completions("fish"), HasSubstr(" -l " + name + " "));
  }
}

TEST(Completions, know_every_option) {
  expect_all(serve_options());
  expect_all(call_options());
}

TEST(Completions, are_silent_about_what_is_hidden) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_THAT(completions(shell), Not(HasSubstr("autobahn")));
  }
}

TEST(Completions, offer_words_that_are_accepted) {
  for (const auto& option : serve_options()) {
    std::vector<std::string> words;
    if (option.name == "log-level") words = {"debug", "info", "warning", "error", "off"};
    if (option.name == "log-format") words = {"text", "json"};
    for (const auto& word : words) {
      ServeOptions options;
      EXPECT_NO_THROW(option.set(options, std::vector{word})) << word;
      EXPECT_THAT(completions("fish"), HasSubstr(word));
    }
  }
}

TEST(Completions, know_three_shells) { EXPECT_EQ(completions("tcsh"), ""); }

}  // namespace
}  // namespace hotline::tools
