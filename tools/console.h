#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <hotline/base/task.h>
#include <hotline/protocol/message.h>

#include "tools/call_options.h"
#include "tools/descriptor.h"
#include "tools/line_editor.h"
#include "tools/message_text.h"

namespace hotline::tools {

/// What `hotline call` is between: a person at a terminal, or pipes. Lines come from the one end,
/// messages go to the other, and what is to be said besides goes to stderr. Made in a Task that
/// runs on a loop; nothing here blocks it.
class Console final : private LineEditor::Screen {
 public:
  /// Throws UsageError where the output's file cannot be opened.
  explicit Console(const CallOptions& options);
  ~Console();

  /// Somebody types: there is a prompt.
  bool is_interactive() const noexcept { return interactive_; }
  /// Shows the prompt, if there is to be one, and follows what becomes of the terminal (its size,
  /// Ctrl-Z).
  void open_prompt();
  /// Takes it away for good.
  void close_prompt() noexcept;
  /// Leaves terminal and pipes as they were found, for who ends without unwinding.
  void give_back() noexcept;

  /// The next line of the input without its end; nothing behind the last. One that is longer than
  /// CallOptions::message_limit may come cut, and is then the last. Cancelling it loses nothing.
  Task<std::optional<std::string>> next_line();
  /// Until the input has ended. Its lines are kept: only for who types, for there is no limit.
  Task<> input_ended();
  /// Writes a message; waits while its reader is slow.
  Task<> show(const protocol::Message& message);
  /// Writes a line that is as good as a message (of --ping).
  void print(std::string_view line);
  /// A note for the user, on stderr: lines, without the last one's end. What strangers wrote in it
  /// is made harmless.
  void say(std::string_view lines);
  /// Nobody reads the messages any more.
  bool reader_has_gone() const noexcept { return messages_->is_broken(); }
  /// Until all has been written. Throws std::system_error where it could not be.
  Task<> written();
  /// The same for the notes, but not for long.
  Task<> said();

 private:
  void show(std::string_view bytes) override { output_.put(bytes); }
  void typed(std::string line) override { lines_.push_back(std::move(line)); }
  void ended() override { at_end_ = true; }

  Task<> take_some();
  void take_lines(std::string_view bytes);
  void put_above(std::string_view lines);
  Task<> watch_terminal();

  struct File;

  Input input_;
  Output output_;
  Output notes_;
  std::unique_ptr<File> file_;  // --output
  Output* messages_;            // where they go
  const bool interactive_;
  const bool notes_on_terminal_;
  const std::size_t longest_line_;
  MessageStyle style_;
  std::deque<std::string> lines_;
  std::string begun_;  // a line that has not ended
  bool at_end_ = false;
  std::unique_ptr<LineEditor> editor_;
  TaskGroup watching_;
};

}  // namespace hotline::tools
