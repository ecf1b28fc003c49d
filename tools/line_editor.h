#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace hotline::tools {

/// A line being typed on a terminal, with history: libedit's, so that ~/.editrc is honoured.
///
/// It neither reads nor writes the terminal itself: bytes come in by feed(), and what is to be
/// shown goes to a Screen. (libedit wants to wait for keys inside of its own call; so it has a
/// thread of its own, which runs only while feed() waits for it.) For one thread.
class LineEditor {
 public:
  class Screen {
   public:
    virtual void show(std::string_view bytes) = 0;
    /// A whole line, without its end.
    virtual void typed(std::string line) = 0;
    /// End of the input: Ctrl-D on an empty line. The editor has ended.
    virtual void ended() = 0;

   protected:
    ~Screen() = default;
  };

  /// `terminal`: for its modes and size. `history`: a file, or "". Shows the prompt. The screen
  /// outlives it.
  LineEditor(int terminal, std::string_view prompt, const std::string& history, Screen& screen);
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;
  /// Takes the line away, gives the terminal its modes back, and saves the history.
  ~LineEditor();

  void feed(std::string_view keys);
  /// Shows `lines` (each with its end) above the line being typed.
  void print_above(std::string_view lines);
  /// The terminal has another size.
  void resized();
  /// Gives the terminal back for a while (Ctrl-Z), and takes it again.
  void pause();
  void go_on();
  bool has_ended() const noexcept;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

/// Where the history of what is typed is kept: in XDG_STATE_HOME, which is made if need be, else
/// ~/.hotline_history; "" where there is neither.
std::string history_file();

}  // namespace hotline::tools
