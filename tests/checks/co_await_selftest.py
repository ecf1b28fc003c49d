"""The co_await check catches what g++ 12 compiles wrongly, and lets the rest pass."""
import pathlib
import tempfile
import unittest

from co_await import query

PRELUDE = """
#include <coroutine>
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
  bool await_ready() { return true; }
  void await_suspend(std::coroutine_handle<>) {}
  int await_resume() { return 0; }
};
class Text { public: Text(const char* = ""); ~Text(); Text operator+(const Text&) const; };
struct Options { Text name = {}; int count = 0; };
struct Dialer { explicit Dialer(Options = {}); explicit Dialer(Text); Task dial(); };
class Message { public: explicit Message(Text); };
Task take(Options); Task take_default(int, Options = {}); Task take_number(int, int = 7);
Task write(Message); template <class Function> Task call(Function) { co_return; }
"""


class CoAwaitCheck(unittest.TestCase):
    def found(self, statements, local="Text local;"):
        with tempfile.TemporaryDirectory() as directory:
            source = pathlib.Path(directory, "sample.cc")
            source.write_text(
                PRELUDE + f"Task coroutine() {{\n  {local}\n" + statements + "\n}\n")
            return query(source, ["--", "-std=c++20", "-Wall"])

    def catches(self, statement):
        found = self.found("  co_await take_number(0);\n  " + statement)
        self.assertTrue(found, statement)
        line = PRELUDE.count("\n") + 4
        self.assertTrue(all(f"sample.cc:{line}:" in text for text in found), found)

    def passes(self, statement):
        self.assertEqual(self.found("  " + statement), [], statement)

    def test_an_aggregate_built_in_place(self):
        self.catches('co_await take({.name = "x"});')
        self.catches('co_await take(Options{"x", 1});')
        self.catches("co_await take(Options{});")
        self.catches("co_await take({});")

    def test_an_aggregate_in_a_temporary_inside_the_expression(self):
        self.catches('co_await Dialer{Options{"x"}}.dial();')
        self.catches('co_await Dialer({.name = "x"}).dial();')

    def test_a_default_argument_that_is_an_aggregate(self):
        self.catches("co_await take_default(1);")
        self.catches("co_await Dialer{}.dial();")

    def test_a_capturing_lambda(self):
        self.catches("co_await call([local] {});")
        self.catches("co_await call([&] { (void)local; });")

    def test_an_object_chosen_in_place(self):
        self.catches('co_await write(Message{sizeof local > 1 ? Text("a") : Text("b")});')

    def test_what_is_named_before_passes(self):
        self.passes("Options options{.count = 1}; co_await take(options);")
        self.passes("auto lambda = [&] { (void)local; }; co_await call(lambda);")

    def test_classes_numbers_and_plain_lambdas_pass(self):
        self.passes('co_await write(Message{"x"});')
        self.passes('co_await write(Message(local + "x"));')
        self.passes("co_await call([] {});")
        self.passes("co_await take_number(1);")
        self.passes('co_await Dialer{Text{"x"}}.dial();')

    def test_a_condition_that_awaits_where_nothing_is_declared(self):
        for statement in (
                "if (co_await take_number(1)) {}",
                "if (!co_await take_number(1)) co_return;",
                "while (co_await take_number(1)) {}",
                "do {} while (co_await take_number(1));",
                "for (; co_await take_number(1) > 2;) {}",
                "switch (co_await take_number(1)) { default: ; }",
                "for (;;) { if (co_await take_number(1)) break; }"):
            self.assertEqual(len(self.found(statement, "")), 1, statement)
            self.assertEqual(self.found(statement), [], "with a local variable: " + statement)
        for statement in (
                "while (const int number = co_await take_number(1)) { (void)number; }",
                "if (const bool yes = co_await take_number(1)) { (void)yes; }",
                "co_await take_number(1);"):
            self.assertEqual(self.found(statement, ""), [], statement)

    def test_a_file_that_does_not_compile_is_reported(self):
        self.assertTrue(self.found("  co_await nothing;"))


if __name__ == "__main__":
    unittest.main()
