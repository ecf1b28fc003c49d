#pragma once

#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/call_options.h"
#include "tools/serve_options.h"

namespace hotline::tools {

/// What the user asked for cannot be; the message is a sentence for them. The program ends with 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How a value stands in a configuration file. (On the command line all are texts.)
enum class Form {
  text,    ///< "30s"
  number,  ///< 4
  size,    ///< "64k" or 65536
  truth,   ///< true; on the command line the bare flag
};

/// One option, as the command line, the configuration file and a shell's completion know it.
struct OptionInfo {
  std::string_view name;   // "message-limit": the flag without its dashes, and the key
  std::string_view value;  // what stands for it in the help: "SIZE"; "" for a bare flag
  std::string_view group;  // its heading in the help
  std::string_view help;
  Form form = Form::text;
  bool repeatable = false;
};

/// An option of a command whose options are `Options`.
template <typename Options>
struct BasicOption : OptionInfo {
  /// Sets it: one value, or all of those that it was given. Throws UsageError that says what is
  /// wrong with the value, without the option's name.
  using Set = std::function<void(Options&, std::span<const std::string>)>;

  BasicOption(std::string_view its_name, std::string_view its_value, std::string_view its_group,
              std::string_view its_help, Form its_form, bool repeats, Set sets)
      : OptionInfo{its_name, its_value, its_group, its_help, its_form, repeats},
        set(std::move(sets)) {}

  Set set;
};

using Option = BasicOption<ServeOptions>;

/// All options of `hotline serve`, in the order of its help.
const std::vector<Option>& serve_options();
/// All options of `hotline call`; those without a group are not shown.
const std::vector<BasicOption<CallOptions>>& call_options();

}  // namespace hotline::tools
