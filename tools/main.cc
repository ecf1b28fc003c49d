#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "tools/serve.h"
#include "tools/units.h"

namespace {

using namespace hotline;

// CLI11 asks a validator for a message, and for the value in its own words.
CLI::Validator check(const std::string& what, bool (*good)(const std::string&)) {
  return CLI::Validator(
      [what, good](std::string& text) {
        return good(text) ? std::string() : "\"" + text + "\" is not " + what;
      },
      what);
}

std::optional<LogLevel> parse_level(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warning") return LogLevel::warning;
  if (text == "error") return LogLevel::error;
  if (text == "off") return LogLevel::off;
  return std::nullopt;
}

bool good_level(const std::string& text) { return parse_level(text).has_value(); }
bool good_size(const std::string& text) { return tools::parse_size(text).value_or(0) > 0; }
bool good_endpoint(const std::string& text) { return tools::parse_endpoint(text).has_value(); }

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Hotline: WebSockets, from the first request to the end of the call", "hotline"};
  app.set_version_flag("--version", std::string("hotline " HOTLINE_VERSION));
  app.require_subcommand(0, 1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return "hotline: " + std::string(error.what()) + " (see hotline --help)\n";
  });

  tools::ServeOptions options;
  std::string listen = "127.0.0.1:8080";
  std::string message_limit = "1M";
  std::string log_level = "info";
  auto* serve = app.add_subcommand("serve", "Serve a WebSocket echo at /echo");
  serve
      ->add_option("--listen", listen,
                   "Address and port to listen on; port 0: one that is free [127.0.0.1:8080]")
      ->option_text("HOST:PORT")
      ->check(check("HOST:PORT with an IP address (IPv6 in brackets)", good_endpoint));
  serve->add_option("--threads", options.threads, "Loops, each with a thread [1]")
      ->option_text("N")
      ->check(CLI::Range(1, 1024));
  serve->add_option("--message-limit", message_limit, "Largest message taken; units k, M, G [1M]")
      ->option_text("SIZE")
      ->check(check("a size above 0 (such as 64k or 16M)", good_size));
  serve
      ->add_option("--fragment-limit", options.fragment_limit,
                   "Most frames that one message may come in [4096]")
      ->option_text("N")
      ->check(CLI::Range(std::uint32_t{1}, ~std::uint32_t{0}));
  serve
      ->add_option("--log-level", log_level,
                   "What is logged: debug, info, warning, error or off [info]")
      ->option_text("LEVEL")
      ->check(check("one of debug, info, warning, error and off", good_level));
  try {
    app.parse(argc, argv);
    // Not CLI11's own rule, which would hide an unknown option or word behind the missing command.
    if (app.get_subcommands().empty()) throw CLI::RequiredError("a command (such as serve)");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  try {
    const auto endpoint = *tools::parse_endpoint(listen);
    options.host = endpoint.host;
    options.port = endpoint.port;
    options.message_limit = *tools::parse_size(message_limit);
    options.log_level = *parse_level(log_level);
    return tools::serve(options);
  } catch (const std::exception& error) {
    std::cerr << "hotline: " << error.what() << '\n';
    return 1;
  }
}
