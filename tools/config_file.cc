#include "tools/config_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include <hotline/base/error.h>

#include "tools/option_table.h"
#include "tools/terminal_text.h"

namespace hotline::tools {
namespace {

std::string read_whole(const std::string& path) {
  const auto fail = [&] {
    throw std::runtime_error(
        path + ": cannot be read: " + std::error_code(errno, std::generic_category()).message());
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "re"),
                                                             &std::fclose};
  if (!file) fail();
  std::string text;
  std::array<char, 4096> piece;
  while (const auto size = std::fread(piece.data(), 1, piece.size(), file.get())) {
    text.append(piece.data(), size);
  }
  if (std::ferror(file.get())) fail();  // a directory, say
  return text;
}

std::string place(const std::string& path, const toml::source_region& at) {
  return path + ":" + std::to_string(at.begin.line);
}

[[noreturn]] void reject(const std::string& path, const toml::source_region& at,
                         const std::string& what) {
  throw UsageError(place(path, at) + ": " + what);
}

const char* type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string: return "a text";
    case toml::node_type::integer: return "a number";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::array: return "a list";
    case toml::node_type::table: return "a table";
    default: return "a date or time";
  }
}

const char* expectation(Form form) {
  switch (form) {
    case Form::text: return "a text";
    case Form::number: return "a number";
    case Form::size: return "a text or a number";
    case Form::truth: return "true or false";
  }
  return "";
}

/// One value as the command line would have it.
std::string word(const std::string& path, const Option& option, const toml::node& node) {
  if (const auto* text = node.as_string(); text && option.form != Form::truth) {
    if (option.form == Form::text || option.form == Form::size) return text->get();
  }
  if (const auto* number = node.as_integer()) {
    if (option.form == Form::number || option.form == Form::size) {
      return std::to_string(number->get());
    }
  }
  if (const auto* truth = node.as_boolean(); truth && option.form == Form::truth) {
    return truth->get() ? "true" : "false";
  }
  reject(path, node.source(),
         std::string(option.name) + ": " + expectation(option.form) +
             (option.repeatable ? ", or a list of them," : "") + " is expected, not " +
             type_name(node));
}

void apply(const std::string& path, const Option& option, const toml::node& node,
           ServeOptions& options) {
  std::vector<std::string> values;
  const auto* list = node.as_array();
  if (list && option.repeatable) {
    for (const auto& item : *list) values.push_back(word(path, option, item));
    if (values.empty()) {
      reject(path, node.source(), std::string(option.name) + ": the list is empty");
    }
  } else {
    values.push_back(word(path, option, node));
  }
  try {
    option.set(options, values);
  } catch (const UsageError& error) {
    reject(path, node.source(), std::string(option.name) + ": " + error.what());
  }
}

toml::table parse(const std::string& path) {
  const auto text = read_whole(path);
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    // In toml++'s words control bytes are escaped already.
    reject(path, error.source(), for_terminal(error.description()));
  }
}

}  // namespace

void read_config_file(const std::string& path, ServeOptions& options) {
  const auto file = parse(path);
  for (const auto& [name, node] : file) {
    if (name.str() != "serve") {
      reject(path, name.source(),
             "unknown key \"" + escaped(name.str()) + "\": options stand in the table [serve]");
    }
    const auto* serve = node.as_table();
    if (!serve) reject(path, node.source(), "serve: a table is expected, that is, [serve]");
    for (const auto& [key, value] : *serve) {
      const auto& table = serve_options();
      const auto option =
          std::find_if(table.begin(), table.end(),
                       [&, &wanted = key](const Option& one) { return one.name == wanted.str(); });
      if (option == table.end()) {
        reject(path, key.source(), "unknown key \"" + escaped(key.str()) + "\" in [serve]");
      }
      apply(path, *option, value, options);
      options.in_file.insert_or_assign(std::string(option->name), place(path, value.source()));
    }
  }
}

}  // namespace hotline::tools
