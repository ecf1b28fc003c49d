#include <csignal>
#include <exception>
#include <iostream>

#include "tools/command_line.h"
#include "tools/option_table.h"
#include "tools/serve.h"

int main(int argc, char** argv) {
  using namespace hotline;
  // Whoever read the log may leave: that is a line lost, and no reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto command = tools::parse_command_line(argc, argv);
    return command.status ? *command.status : tools::serve(command.serve);
  } catch (const tools::UsageError& error) {
    std::cerr << "hotline: " << error.what() << " (see hotline serve --help)\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "hotline: " << error.what() << '\n';
    return 1;
  }
}
