#include <csignal>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tools/call.h"
#include "tools/command_line.h"
#include "tools/option_table.h"
#include "tools/serve.h"

int main(int argc, char** argv) {
  using namespace hotline;
  try {
    const auto command = tools::parse_command_line(argc, argv);
    if (command.status) {
      if (!std::cout.flush()) throw std::runtime_error("standard output cannot be written");
      return *command.status;
    }
    // Whoever read the log may leave: that is a line lost, and no reason to die.
    std::signal(SIGPIPE, SIG_IGN);
    return command.command == tools::Command::call ? tools::call(command.call)
                                                   : tools::serve(command.serve);
  } catch (const tools::UsageError& error) {
    const std::string_view command = argc > 1 ? argv[1] : "";
    std::cerr << "hotline: " << error.what() << " (see hotline "
              << (command == "serve" || command == "call" ? std::string(command) + " " : "")
              << "--help)\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "hotline: " << error.what() << '\n';
    return 1;
  }
}
