#include "tools/console.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <boost/asio/signal_set.hpp>

#include <hotline/base/error.h>
#include <hotline/net/deadline.h>

#include "tools/option_table.h"
#include "tools/terminal_text.h"

namespace hotline::tools {
namespace {

constexpr std::size_t piece = 64 * 1024;
// More than that is not kept for somebody who does not read it.
constexpr std::size_t most_notes = 1 << 20;
constexpr std::string_view prompt = "> ";

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value && *value;
}
bool is_dumb() {
  const char* terminal = std::getenv("TERM");
  return !terminal || !*terminal || std::string_view{terminal} == "dumb";
}
bool is_terminal(int descriptor) { return ::isatty(descriptor) != 0; }

}  // namespace

struct Console::File {
  explicit File(const std::string& name)
      : descriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (descriptor < 0) {
      throw UsageError("--output: " + escaped(name) + ": " +
                       std::error_code(errno, std::generic_category()).message());
    }
    output.emplace(descriptor);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    output.reset();
    ::close(descriptor);
  }

  const int descriptor;
  std::optional<Output> output;
};

Console::Console(const CallOptions& options)
    : input_(STDIN_FILENO),
      output_(STDOUT_FILENO),
      notes_(STDERR_FILENO),
      file_(options.output.empty() ? nullptr : std::make_unique<File>(options.output)),
      messages_(file_ ? &*file_->output : &output_),
      interactive_(is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO) && !is_dumb() &&
                   !options.pings),
      notes_on_terminal_(is_terminal(STDERR_FILENO)),
      longest_line_(options.message_limit) {
  style_.hex = options.hex;
  style_.json = options.json;
  style_.terminal = !file_ && is_terminal(STDOUT_FILENO);
  style_.colours = style_.terminal && !is_dumb() && !is_set("NO_COLOR");
}

Console::~Console() = default;

void Console::open_prompt() {
  if (!interactive_ || editor_ || at_end_) return;
  editor_ = std::make_unique<LineEditor>(STDIN_FILENO, prompt, history_file(),
                                         static_cast<LineEditor::Screen&>(*this));
  watching_.spawn(watch_terminal());
}

void Console::close_prompt() noexcept {
  watching_.cancel();
  editor_.reset();
}

void Console::give_back() noexcept {
  close_prompt();
  notes_.give_back();
  output_.give_back();
  input_.give_back();
}

Task<> Console::watch_terminal() {
  boost::asio::signal_set signals{this_loop_context(), SIGWINCH, SIGTSTP};
  for (;;) {
    const int signal = co_await signals.async_wait(use_task);
    if (!editor_) co_return;
    if (signal == SIGWINCH) {
      editor_->resized();
      continue;
    }
    editor_->pause();
    // By its default, which leaves alone whom nobody could wake up again.
    signals.remove(SIGTSTP);
    ::raise(SIGTSTP);
    signals.add(SIGTSTP);
    editor_->go_on();
  }
}

void Console::take_lines(std::string_view bytes) {
  for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
    begun_ += bytes.substr(0, end);
    lines_.push_back(std::exchange(begun_, {}));
    bytes.remove_prefix(end + 1);
  }
  begun_ += bytes;
  if (begun_.size() > longest_line_) at_end_ = true;
}

Task<> Console::take_some() {
  std::string bytes;
  bytes.resize(piece);
  const auto size = co_await input_.read_some(bytes);
  if (size == 0) {
    at_end_ = true;
  } else if (editor_) {
    editor_->feed({bytes.data(), size});
  } else {
    take_lines({bytes.data(), size});
  }
  if (at_end_ && !begun_.empty()) lines_.push_back(std::exchange(begun_, {}));
}

Task<> Console::input_ended() {
  while (!at_end_) co_await take_some();
}

Task<std::optional<std::string>> Console::next_line() {
  while (lines_.empty()) {
    if (at_end_) co_return std::nullopt;
    co_await take_some();
  }
  auto line = std::move(lines_.front());
  lines_.pop_front();
  co_return std::optional<std::string>{std::move(line)};
}

void Console::put_above(std::string_view lines) {
  if (editor_) {
    editor_->print_above(lines);
  } else {
    output_.put(lines);
  }
}

Task<> Console::show(const protocol::Message& message) {
  const auto text = shown(message, style_);
  if (messages_ != &output_) {
    messages_->put(text);
  } else if (editor_) {
    put_above((style_.colours ? "\x1b[36m<\x1b[0m " : "< ") + text);
  } else {
    output_.put(text);
  }
  co_await messages_->drained(piece);
}

void Console::print(std::string_view line) { put_above(std::string(line) + "\n"); }

void Console::say(std::string_view lines) {
  const auto text = for_terminal(lines) + "\n";
  if (editor_ && notes_on_terminal_) {
    editor_->print_above(text);
  } else if (notes_.waiting() + text.size() < most_notes) {
    notes_.put(text);
  }
}

Task<> Console::written() {
  co_await messages_->drained();
  co_await output_.drained();
}

Task<> Console::said() {
  try {
    co_await deadline(std::chrono::seconds(1), notes_.drained());
  } catch (const Error&) {  // nobody is left to be told
  }
}

}  // namespace hotline::tools
