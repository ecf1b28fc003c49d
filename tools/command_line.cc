#include "tools/command_line.h"

#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <hotline/base/error.h>

#include "tools/completions.h"
#include "tools/config_file.h"
#include "tools/option_table.h"

#ifndef HOTLINE_VERSION
#error "the build says which version this is"
#endif

namespace hotline::tools {
namespace {

constexpr const char* call_footer =
    R"(On a terminal: a prompt with history; Ctrl-D hangs up. Otherwise each line of standard
input is a message, and each message that comes is a line of standard output.

Exit status: 0 a clean end, 1 another failure, 2 bad usage, 3 the server refuses,
             4 nobody answers, or the connection is lost, 5 a certificate is not believed)";

// Puts the table's options among the command's.
template <typename Options>
std::vector<CLI::Option*> add_options(CLI::App& command,
                                      const std::vector<BasicOption<Options>>& table) {
  std::vector<CLI::Option*> added;
  for (const auto& option : table) {
    const auto flag = "--" + std::string(option.name);
    const std::string help{option.help};
    if (option.form == Form::truth) {
      added.push_back(command.add_flag(flag, help)->group(std::string(option.group)));
      continue;
    }
    auto* one = command.add_option(flag, help);
    one->option_text(std::string(option.value))->group(std::string(option.group));
    one->allow_extra_args(false)->multi_option_policy(
        option.repeatable ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
    if (option.repeatable) one->expected(1, CLI::detail::expected_max_vector_size);
    added.push_back(one);
  }
  return added;
}

template <typename Options>
void apply(const std::vector<CLI::Option*>& given, const std::vector<BasicOption<Options>>& table,
           Options& options) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i]->empty()) continue;
    const auto& option = table[i];
    const auto flag = "--" + std::string(option.name);
    const auto values = given[i]->results();
    if (values.size() > 1 && !option.repeatable) throw UsageError(flag + ": given more than once");
    try {
      option.set(options, values);
    } catch (const UsageError& error) {
      throw UsageError(flag + ": " + error.what());
    }
  }
}

// CLI11 lists all words that are left, in an order of its own: of "--lsiten 127.0.0.1:80" the
// address, too.
std::string not_understood(const CLI::App& app) {
  const auto words = app.remaining(true);
  for (const auto& word : words) {
    if (word.starts_with("-")) return escaped(word) + " is not an option";
  }
  const auto word = words.empty() ? "" : "\"" + escaped(words.front()) + "\"";
  if (app.get_subcommands().empty()) return word + " is not a command: serve, call or completions";
  return word + " was not expected";
}

// "--listen: 1 required  missing", "--threads: At Most 1 required but received 2"
std::string in_our_words(const std::string& what) {
  const auto flag = what.substr(0, what.find(": "));
  if (what.ends_with(" missing")) return flag + ": a value is missing";
  if (what.find("At Most 1 ") != std::string::npos) return flag + ": given more than once";
  return what;
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CLI::App app{"Hotline: WebSockets, from the first request to the end of the call", "hotline"};
  app.set_version_flag("--version", std::string("hotline " HOTLINE_VERSION));
  app.require_subcommand(0, 1);
  auto* serve = app.add_subcommand("serve", "Serve a WebSocket echo at /echo, and HTTP beside it");
  serve->get_formatter()->column_width(34);
  const auto given = add_options(*serve, serve_options());
  std::string config;
  const auto* config_option =
      serve
          ->add_option("--config", config,
                       "TOML: these names in [serve]; the command line goes before it")
          ->option_text("FILE")
          ->allow_extra_args(false);

  auto* call = app.add_subcommand("call", "Make a call: talk to a WebSocket server");
  call->get_formatter()->column_width(34);
  CommandLine result;
  auto* url = call->add_option("URL", result.call.url,
                               "ws://, wss://, ws+unix:PATH:/…; localhost:8080/echo means ws://");
  url->option_text(" ");
  const auto given_to_call = add_options(*call, call_options());
  call->footer(call_footer);
  auto* complete = app.add_subcommand("completions", "Write a shell's completions");
  std::string shell;
  complete->add_option("SHELL", shell, "bash, zsh or fish")->option_text(" ");

  try {
    app.parse(argc, argv);
    // Not CLI11's own rule, which would hide an unknown option or word behind the missing command.
    if (app.get_subcommands().empty())
      throw CLI::RequiredError("a command (serve, call or completions)");
  } catch (const CLI::Success& done) {  // help or version
    result.status = app.exit(done);
    return result;
  } catch (const CLI::ExtrasError&) {
    throw UsageError(not_understood(app));
  } catch (const CLI::ArgumentMismatch& error) {
    throw UsageError(in_our_words(error.what()));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (complete->parsed()) {
    const auto text = completions(shell);
    if (text.empty()) {
      throw UsageError("completions: \"" + escaped(shell) + "\" is not bash, zsh or fish");
    }
    std::cout << text << std::flush;
    result.status = 0;
    return result;
  }
  if (call->parsed()) {
    result.command = Command::call;
    apply(given_to_call, call_options(), result.call);
    if (url->empty() && result.call.autobahn.empty()) {
      throw UsageError("whom to call? A URL is needed, such as ws://localhost:8080/echo");
    }
    return result;
  }
  if (config_option->count() > 0 && config.empty()) {
    throw UsageError("--config: \"\" is not the name of a file");
  }
  if (!config.empty()) read_config_file(config, result.serve);
  apply(given, serve_options(), result.serve);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!given[i]->empty()) result.serve.in_file.erase(std::string(serve_options()[i].name));
  }
  return result;
}

}  // namespace hotline::tools
