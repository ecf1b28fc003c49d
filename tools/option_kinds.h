#pragma once

// What the tables of options are made of: each of these gives what sets a kind of value.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <hotline/base/error.h>

#include "base/time_option.h"
#include "tools/option_table.h"
#include "tools/units.h"

namespace hotline::tools::option_kinds {

using Values = std::span<const std::string>;

[[noreturn]] inline void reject(const std::string& value, const std::string& expected) {
  throw UsageError("\"" + escaped(value) + "\" is not " + expected);
}

// A kind of value: what `place(options)` refers to is set to what `value` says.

template <typename Place>
auto number(std::uint64_t least, std::uint64_t most, Place place) {
  return [=](auto& options, Values values) {
    const auto number = parse_count(values.back());
    if (!number || *number < least || *number > most) {
      reject(values.back(),
             "a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    auto& target = place(options);
    target = static_cast<std::remove_reference_t<decltype(target)>>(*number);
  };
}

template <typename Place>
auto truth(Place place) {
  return [=](auto& options, Values values) {
    if (values.back() != "true" && values.back() != "false") {
      reject(values.back(), "true or false");
    }
    place(options) = values.back() == "true";
  };
}

template <typename Place>
auto size(Place place) {
  return [=](auto& options, Values values) {
    const auto bytes = parse_size(values.back());
    if (bytes.value_or(0) == 0) reject(values.back(), "a size above 0 (such as 64k or 16M)");
    place(options) = *bytes;
  };
}

template <typename Place>
auto duration(std::chrono::milliseconds least, Place place) {
  return [=](auto& options, Values values) {
    const auto time = parse_duration(values.back());
    if (!time || *time < least || *time > longest_time) {
      reject(values.back(), std::string("a time ") + (least.count() > 0 ? "above 0 and " : "") +
                                "up to 365d (such as 30s, 1m30s or 250ms)");
    }
    place(options) = *time;
  };
}

template <typename Place>
auto words(std::string expected, bool (*good)(const std::string&), Place place) {
  return [=, expected = std::move(expected)](auto& options, Values values) {
    for (const auto& value : values) {
      if (!good(value)) reject(value, expected);
    }
    auto& target = place(options);
    if constexpr (std::is_same_v<std::remove_reference_t<decltype(target)>, std::string>) {
      target = values.back();
    } else {
      target.assign(values.begin(), values.end());
    }
  };
}

template <typename Place, typename Value>
auto choice(std::vector<std::pair<std::string, Value>> choices, Place place) {
  return [=, choices = std::move(choices)](auto& options, Values values) {
    std::string all;
    for (const auto& [name, value] : choices) {
      if (name == values.back()) {
        place(options) = value;
        return;
      }
      all += (all.empty() ? "" : name == choices.back().first ? " or " : ", ") + name;
    }
    reject(values.back(), all);
  };
}

}  // namespace hotline::tools::option_kinds
