#include "tools/completions.h"

#include <algorithm>
#include <vector>

#include "tools/option_table.h"

namespace hotline::tools {
namespace {

struct Subcommand {
  std::string_view name;
  std::string_view help;
  std::vector<OptionInfo> options;
};

template <typename Options>
std::vector<OptionInfo> shown(const std::vector<BasicOption<Options>>& table) {
  std::vector<OptionInfo> options;
  for (const auto& option : table) {
    if (!option.group.empty()) options.push_back(option);
  }
  options.push_back({"help", "", "", "Say what there is", Form::truth, false});
  return options;
}

std::vector<Subcommand> subcommands() {
  std::vector<Subcommand> all{{"serve", "Serve a WebSocket echo", shown(serve_options())},
                              {"call", "Talk to a WebSocket server", shown(call_options())},
                              {"completions", "Write a shell's completions", {}}};
  all[0].options.push_back(
      {"config", "FILE", "", "TOML: these names in [serve]", Form::text, false});
  return all;
}

// What may stand for a value.
std::string_view kind_of(const OptionInfo& option) {
  return option.value.substr(0, option.value.find("..."));
}
bool is_flag(const OptionInfo& option) { return option.value.empty(); }
bool is_file(const OptionInfo& option) { return kind_of(option) == "FILE"; }
bool is_directory(const OptionInfo& option) { return kind_of(option) == "DIR"; }
std::string_view words_of(const OptionInfo& option) {
  if (kind_of(option) == "LEVEL") return "debug info warning error off";
  if (kind_of(option) == "FORMAT") return "text json";
  return "";
}
constexpr std::string_view shells = "bash zsh fish";

// ---- bash

// "--one|--two" of those for which it holds.
template <typename Condition>
std::string pattern(const std::vector<OptionInfo>& options, Condition holds) {
  std::string text;
  for (const auto& option : options) {
    if (holds(option)) text += (text.empty() ? "--" : "|--") + std::string(option.name);
  }
  return text;
}

std::string bash_values(const std::vector<OptionInfo>& options) {
  std::string text;
  const auto when = [&](const std::string& names, const std::string& what) {
    if (!names.empty()) text += "        " + names + ") " + what + "return ;;\n";
  };
  when(pattern(options, is_file),
       "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); ");
  when(pattern(options, is_directory),
       "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$word\"); ");
  for (const auto& option : options) {
    if (const auto words = words_of(option); !words.empty()) {
      when("--" + std::string(option.name),
           "mapfile -t COMPREPLY < <(compgen -W '" + std::string(words) + "' -- \"$word\"); ");
    }
  }
  when(pattern(options,
               [](const OptionInfo& option) {
                 return !is_flag(option) && !is_file(option) && !is_directory(option) &&
                        words_of(option).empty();
               }),
       "");
  return text;
}

std::string bash() {
  std::string text =
      "# bash completion for hotline\n"
      "_hotline() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD - 1]}\" words=\n"
      "  COMPREPLY=()\n"
      "  case \"$COMP_CWORD ${COMP_WORDS[1]}\" in\n"
      "    '1 '*) words='";
  const auto all = subcommands();
  for (const auto& command : all) text += std::string(command.name) + " ";
  text += "--help --version' ;;\n";
  for (const auto& command : all) {
    text += "    *' " + std::string(command.name) + "')\n";
    if (command.options.empty()) {
      text += "      words='" + std::string(shells) + "' ;;\n";
      continue;
    }
    text +=
        "      case \"$before\" in\n" + bash_values(command.options) + "      esac\n      words='";
    std::string names;
    for (const auto& option : command.options) {
      names += (names.empty() ? "--" : " --") + std::string(option.name);
    }
    text += names + "' ;;\n";
  }
  return text +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "}\n"
         "complete -F _hotline hotline\n";
}

// ---- zsh

// Within single quotes, in the places of _arguments where colons and brackets mean something.
std::string for_zsh(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == ':' || c == '[' || c == ']' || c == '\\') {
      out += std::string("\\") + c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string zsh() {
  std::string text = "#compdef hotline\n\n_hotline() {\n  local -a commands=(\n";
  const auto all = subcommands();
  for (const auto& command : all) {
    text += "    '" + std::string(command.name) + ":" + for_zsh(command.help) + "'\n";
  }
  text +=
      "  )\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n"
      "  shift words\n"
      "  ((CURRENT--))\n"
      "  case $command in\n";
  for (const auto& command : all) {
    text += "    " + std::string(command.name) + ")\n";
    if (command.options.empty()) {
      text += "      _arguments '1:shell:(" + std::string(shells) + ")' ;;\n";
      continue;
    }
    text += "      _arguments";
    for (const auto& option : command.options) {
      text += " \\\n        '";
      if (option.repeatable) text += '*';
      text += "--" + std::string(option.name) + "[" + for_zsh(option.help) + "]";
      if (!is_flag(option)) {
        text += ":" + for_zsh(kind_of(option)) + ":";
        if (is_file(option)) text += "_files";
        if (is_directory(option)) text += "_files -/";
        if (const auto words = words_of(option); !words.empty()) {
          text += "(" + std::string(words) + ")";
        }
      }
      text += "'";
    }
    if (command.name == "call") text += " \\\n        '1:URL:'";
    text += " ;;\n";
  }
  return text + "  esac\n}\n\n_hotline \"$@\"\n";
}

// ---- fish

std::string for_fish(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish() {
  std::string text = "# fish completion for hotline\ncomplete -c hotline -f\n";
  for (const auto& command : subcommands()) {
    const std::string name{command.name};
    text += "complete -c hotline -n __fish_use_subcommand -a " + name + " -d " +
            for_fish(command.help) + "\n";
    const auto when = "complete -c hotline -n '__fish_seen_subcommand_from " + name + "'";
    if (command.options.empty()) text += when + " -a '" + std::string(shells) + "'\n";
    for (const auto& option : command.options) {
      text += when + " -l " + std::string(option.name);
      if (is_file(option)) text += " -r -F";
      if (is_directory(option)) text += " -x -a '(__fish_complete_directories)'";
      if (const auto words = words_of(option); !words.empty()) {
        text += " -x -a '" + std::string(words) + "'";
      } else if (!is_flag(option) && !is_file(option) && !is_directory(option)) {
        text += " -x";
      }
      text += " -d " + for_fish(option.help) + "\n";
    }
  }
  return text;
}

}  // namespace

std::string completions(std::string_view shell) {
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh();
  if (shell == "fish") return fish();
  return "";
}

}  // namespace hotline::tools
