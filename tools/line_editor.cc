#include "tools/line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include <array>
#include <clocale>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "tools/terminal_text.h"

namespace hotline::tools {
namespace {

// libedit knows characters by the locale; without one it would show the bytes of UTF-8.
void use_utf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

class LineEditor::Core {
 public:
  Core(int terminal, std::string_view prompt, std::string history, Screen& screen)
      : terminal_(terminal),
        prompt_(prompt),
        history_file_(std::move(history)),
        screen_(screen),
        modes_known_(::tcgetattr(terminal, &modes_) == 0) {
    use_utf8();
    open_files();
    open_editor();
    open_history();
    start_thread();
    give_turn();
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() {
    if (!ended_) take_line_away();
    closing_ = true;
    if (!ended_) give_turn();
    thread_.join();
    if (!history_file_.empty()) {
      HistEvent event;
      ::history(history_, &event, H_SAVE, history_file_.c_str());
    }
    ::el_end(editor_);
    ::history_end(history_);
    std::fclose(output_);
    std::fclose(input_);
    restore_modes();
  }

  void feed(std::string_view keys) {
    keys_ += keys;
    if (ended_ || keys_.empty()) return;
    give_turn();
    for (auto& line : std::exchange(lines_, {})) screen_.typed(std::move(line));
    if (!ended_) return;
    screen_.show("\r\x1b[J");
    screen_.ended();
  }
  void print_above(std::string_view lines) {
    if (ended_) return screen_.show(lines);
    take_line_away();
    screen_.show(lines);
    show_line();
  }
  void resized() {
    if (ended_) return;
    take_line_away();
    ::el_resize(editor_);
    show_line();
  }
  void pause() {
    if (ended_) return;
    take_line_away();
    ::tcgetattr(terminal_, &editing_modes_);
    restore_modes();
  }
  void go_on() {
    if (ended_) return;
    ::tcsetattr(terminal_, TCSADRAIN, &editing_modes_);
    ::el_resize(editor_);
    show_line();
  }
  bool has_ended() const noexcept { return ended_; }

 private:
  static Core& of(EditLine* editor) {
    void* core = nullptr;
    ::el_wget(editor, EL_CLIENTDATA, &core);
    return *static_cast<Core*>(core);
  }

  void open_files() {
    cookie_io_functions_t functions{};
    functions.write = [](void* core, const char* bytes, std::size_t size) {
      static_cast<Core*>(core)->shown_.append(bytes, size);
      return static_cast<ssize_t>(size);
    };
    output_ = ::fopencookie(this, "w", functions);
    input_ = ::fopencookie(this, "r", cookie_io_functions_t{});
  }

  void open_editor() {
    editor_ = ::el_init_fd("hotline", input_, output_, output_, terminal_, terminal_, terminal_);
    if (!editor_) throw std::bad_alloc();
    ::el_wset(editor_, EL_CLIENTDATA, this);
    char* (*prompt)(EditLine*) = [](EditLine* editor) { return of(editor).prompt_.data(); };
    ::el_set(editor_, EL_PROMPT, prompt);
    ::el_set(editor_, EL_SIGNAL, 0);
    ::el_set(editor_, EL_EDITOR, "emacs");
    int (*get)(EditLine*, wchar_t*) = [](EditLine* editor, wchar_t* key) {
      return of(editor).next_key(*key);
    };
    ::el_wset(editor_, EL_GETCFN, get);
    // Between two lines the terminal stays as it is while one is typed: what is pasted comes then,
    // too, and is not to be echoed.
    ::el_set(editor_, EL_SETTY, "-x", "-icanon", "-echo", "-iexten", nullptr);
    ::el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    ::el_set(editor_, EL_BIND, "\\e[1;5C", "em-next-word", nullptr);
    ::el_set(editor_, EL_BIND, "\\e[1;5D", "ed-prev-word", nullptr);
    ::el_set(editor_, EL_BIND, "\\e[3~", "ed-delete-next-char", nullptr);
    ::el_source(editor_, nullptr);
  }

  void open_history() {
    history_ = ::history_init();
    HistEvent event;
    ::history(history_, &event, H_SETSIZE, 1000);
    ::history(history_, &event, H_SETUNIQUE, 1);
    if (!history_file_.empty()) ::history(history_, &event, H_LOAD, history_file_.c_str());
    ::el_set(editor_, EL_HIST, ::history, history_);
  }

  void start_thread() {
    // Signals are for the loop's thread.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { edit(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  // The editor's thread and the other one take turns; everything is for the one whose turn it is.
  void give_turn() {
    std::unique_lock lock{mutex_};
    editors_turn_ = true;
    turn_.notify_all();
    turn_.wait(lock, [this] { return !editors_turn_; });
    lock.unlock();
    show_shown();
  }
  void wait_for_turn(std::unique_lock<std::mutex>& lock) {
    turn_.wait(lock, [this] { return editors_turn_; });
  }
  void end_turn(std::unique_lock<std::mutex>& lock) {
    editors_turn_ = false;
    turn_.notify_all();
    if (!ended_) wait_for_turn(lock);
  }
  void show_shown() {
    if (!shown_.empty()) screen_.show(std::exchange(shown_, {}));
  }

  void edit() {
    std::unique_lock lock{mutex_};
    wait_for_turn(lock);
    lock_ = &lock;
    while (!closing_) {
      int count = 0;
      const char* line = ::el_gets(editor_, &count);
      if (!line || count <= 0) break;
      std::string text{line, static_cast<std::size_t>(count)};
      while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
      remember(text);
      lines_.push_back(std::move(text));
    }
    ended_ = true;
    end_turn(lock);
  }

  void remember(const std::string& line) {
    if (line.empty() || line.starts_with(' ')) return;
    HistEvent event;
    ::history(history_, &event, H_ENTER, line.c_str());
  }

  // 1: a key; 0: there will be none any more. On the editor's thread.
  int next_key(wchar_t& key) {
    for (;;) {
      if (closing_) return 0;
      if (take_key(key)) return 1;
      std::fflush(output_);
      end_turn(*lock_);
    }
  }
  bool take_key(wchar_t& key) {
    std::mbstate_t state{};
    while (!keys_.empty()) {
      const auto size = std::mbrtowc(&key, keys_.data(), keys_.size(), &state);
      if (size == static_cast<std::size_t>(-2)) return false;  // the rest of it is still to come
      if (size == static_cast<std::size_t>(-1)) {
        keys_.erase(0, 1);
        state = {};
        continue;
      }
      keys_.erase(0, size == 0 ? 1 : size);
      return true;
    }
    return false;
  }

  // From here on: while it is not the editor's turn.

  std::size_t columns() const {
    winsize size{};
    if (::ioctl(terminal_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
  }
  void take_line_away() {
    const auto* line = ::el_wline(editor_);
    const auto before = static_cast<std::size_t>(line->cursor - line->buffer);
    const auto at = columns_of(std::wstring(prompt_.begin(), prompt_.end())) +
                    columns_of({line->buffer, before});
    std::string bytes = "\r";
    if (const auto rows = at / columns(); rows > 0) bytes += "\x1b[" + std::to_string(rows) + "A";
    screen_.show(bytes + "\x1b[J");
  }
  void show_line() {
    ::el_set(editor_, EL_REFRESH);
    std::fflush(output_);
    show_shown();
  }
  void restore_modes() {
    if (modes_known_) ::tcsetattr(terminal_, TCSADRAIN, &modes_);
  }

  const int terminal_;
  std::string prompt_;
  const std::string history_file_;
  Screen& screen_;
  termios modes_{};
  const bool modes_known_;
  termios editing_modes_{};
  std::FILE* output_ = nullptr;
  std::FILE* input_ = nullptr;
  EditLine* editor_ = nullptr;
  History* history_ = nullptr;

  std::mutex mutex_;
  std::condition_variable turn_;
  bool editors_turn_ = false;
  std::unique_lock<std::mutex>* lock_ = nullptr;  // the editor's thread's
  bool closing_ = false;
  bool ended_ = false;
  std::string keys_;   // not looked at yet
  std::string shown_;  // not on the screen yet
  std::vector<std::string> lines_;
  std::thread thread_;
};

LineEditor::LineEditor(int terminal, std::string_view prompt, const std::string& history,
                       Screen& screen)
    : core_(std::make_unique<Core>(terminal, prompt, history, screen)) {}
LineEditor::~LineEditor() = default;
void LineEditor::feed(std::string_view keys) { core_->feed(keys); }
void LineEditor::print_above(std::string_view lines) { core_->print_above(lines); }
void LineEditor::resized() { core_->resized(); }
void LineEditor::pause() { core_->pause(); }
void LineEditor::go_on() { core_->go_on(); }
bool LineEditor::has_ended() const noexcept { return core_->has_ended(); }

std::string history_file() {
  if (const auto state = environment("XDG_STATE_HOME"); state.starts_with('/')) {
    const auto directory = std::string(state) + "/hotline";
    ::mkdir(std::string(state).c_str(), 0700);
    ::mkdir(directory.c_str(), 0700);
    return directory + "/history";
  }
  const auto home = environment("HOME");
  return home.starts_with('/') ? std::string(home) + "/.hotline_history" : "";
}

}  // namespace hotline::tools
