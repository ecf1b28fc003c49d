#pragma once

// JSON values and C++ values, each out of the other; a part of hotline/json.h.
//
// Beyond boost::json::value_to and value_from: a failure names the place, std::optional stands for
// a member that may be missing, and what a struct does not know may be passed over.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/conversion.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <boost/mp11/algorithm.hpp>

#include <hotline/base/error.h>

namespace hotline::detail {

/// Where in a document something stands: "orders[3].price". Made of frames on the stack, and
/// spelled out only when something is wrong there.
class JsonPlace {
 public:
  JsonPlace() = default;
  JsonPlace(const JsonPlace& above, std::string_view member) : above_(&above), member_(member) {}
  JsonPlace(const JsonPlace& above, std::size_t index) : above_(&above), index_(index) {}

  [[noreturn]] void fail(const std::string& what) const {
    const auto path = text();
    throw Error(Fault::invalid_json, path.empty() ? what : path + ": " + what);
  }

 private:
  std::string text() const {
    if (!above_) return {};
    auto path = above_->text();
    if (!member_.data()) return path + "[" + std::to_string(index_) + "]";
    if (!path.empty()) path += '.';
    return path + escaped(member_, 60);
  }

  const JsonPlace* above_ = nullptr;
  std::string_view member_;
  std::size_t index_ = 0;
};

struct JsonRules {
  bool unknown_members = true;  // are passed over
};

template <typename T>
inline constexpr bool is_std_optional = false;
template <typename T>
inline constexpr bool is_std_optional<std::optional<T>> = true;

template <typename T>
concept OwnJsonToValue = requires(const boost::json::value& json) {
  tag_invoke(boost::json::value_to_tag<T>{}, json);
} || requires(const boost::json::value& json) {
  tag_invoke(boost::json::try_value_to_tag<T>{}, json);
};
template <typename T>
concept OwnJsonFromValue = requires(boost::json::value& json, const T& value) {
  tag_invoke(boost::json::value_from_tag{}, json, value);
};

template <typename T>
concept JsonMap = boost::json::is_map_like<T>::value;
template <typename T>
concept JsonSequence = boost::json::is_sequence_like<T>::value;
template <typename T>
concept JsonTuple = boost::json::is_tuple_like<T>::value;
template <typename T>
concept DescribedClass = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;
template <typename T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

template <typename T>
using JsonMembers = boost::describe::describe_members<T, boost::describe::mod_public |
                                                             boost::describe::mod_inherited>;

inline std::string_view json_kind(const boost::json::value& json) {
  switch (json.kind()) {
    case boost::json::kind::null: return "null";
    case boost::json::kind::bool_: return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_: return "a number";
    case boost::json::kind::string: return "a string";
    case boost::json::kind::array: return "an array";
    case boost::json::kind::object: return "an object";
  }
  return "?";
}

[[noreturn]] inline void unexpected_json(const boost::json::value& json, const JsonPlace& place,
                                         std::string_view wanted) {
  place.fail(std::string(wanted) + " is expected, not " + std::string(json_kind(json)));
}

template <typename T>
T from_json(const boost::json::value& json, const JsonPlace& place, const JsonRules& rules);

template <typename T>
T class_from_json(const boost::json::value& json, const JsonPlace& place, const JsonRules& rules) {
  const auto* object = json.if_object();
  if (!object) unexpected_json(json, place, "an object");
  T result{};
  std::size_t known = 0;
  boost::mp11::mp_for_each<JsonMembers<T>>([&](auto member) {
    using Member = std::remove_cvref_t<decltype(result.*member.pointer)>;
    const auto* found = object->if_contains(member.name);
    if (found) {
      ++known;
      result.*member.pointer = from_json<Member>(*found, JsonPlace{place, member.name}, rules);
    } else if constexpr (!is_std_optional<Member>) {
      JsonPlace{place, member.name}.fail("is missing");
    }
  });
  if (rules.unknown_members || known == object->size()) return result;
  for (const auto& [name, value] : *object) {
    bool expected = false;
    boost::mp11::mp_for_each<JsonMembers<T>>(
        [&, &key = name](auto member) { expected = expected || key == member.name; });
    if (!expected) JsonPlace{place, {name.data(), name.size()}}.fail("is not expected");
  }
  return result;
}

template <typename T>
T tuple_from_json(const boost::json::value& json, const JsonPlace& place, const JsonRules& rules) {
  constexpr auto size = std::tuple_size_v<T>;
  const auto* array = json.if_array();
  if (!array) unexpected_json(json, place, "an array");
  if (array->size() != size) place.fail("has to have " + std::to_string(size) + " elements");
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return T{from_json<std::tuple_element_t<I, T>>((*array)[I], JsonPlace{place, I}, rules)...};
  }(std::make_index_sequence<size>{});
}

/// Throws Error (invalid_json) that says where and what.
template <typename T>
T from_json(const boost::json::value& json, const JsonPlace& place, const JsonRules& rules) {
  if constexpr (std::same_as<T, boost::json::value>) {
    return json;
  } else if constexpr (std::same_as<T, boost::json::object>) {
    if (!json.is_object()) unexpected_json(json, place, "an object");
    return json.get_object();
  } else if constexpr (std::same_as<T, boost::json::array>) {
    if (!json.is_array()) unexpected_json(json, place, "an array");
    return json.get_array();
  } else if constexpr (OwnJsonToValue<T>) {
    auto result = boost::json::try_value_to<T>(json);
    if (!result) place.fail(result.error().message());
    return *std::move(result);
  } else if constexpr (is_std_optional<T>) {
    if (json.is_null()) return std::nullopt;
    return from_json<typename T::value_type>(json, place, rules);
  } else if constexpr (std::same_as<T, bool>) {
    if (!json.is_bool()) unexpected_json(json, place, "a boolean");
    return json.get_bool();
  } else if constexpr (std::is_arithmetic_v<T>) {
    if (!json.is_number()) unexpected_json(json, place, "a number");
    boost::json::error_code error;
    const auto number = json.to_number<T>(error);
    if (error) place.fail("the number is out of range, or has a fraction");
    return number;
  } else if constexpr (std::same_as<T, std::string>) {
    if (!json.is_string()) unexpected_json(json, place, "a string");
    return {json.get_string().data(), json.get_string().size()};
  } else if constexpr (DescribedEnum<T>) {
    if (!json.is_string()) unexpected_json(json, place, "a string");
    T result{};
    if (!boost::describe::enum_from_string(json.get_string().c_str(), result)) {
      place.fail("\"" + escaped({json.get_string().data(), json.get_string().size()}, 60) +
                 "\" is none of the names expected");
    }
    return result;
  } else if constexpr (JsonMap<T>) {
    if (!json.is_object()) unexpected_json(json, place, "an object");
    T result;
    for (const auto& [name, value] : json.get_object()) {
      const std::string_view key{name.data(), name.size()};
      result.emplace(typename T::key_type(key),
                     from_json<typename T::mapped_type>(value, JsonPlace{place, key}, rules));
    }
    return result;
  } else if constexpr (JsonTuple<T>) {
    return tuple_from_json<T>(json, place, rules);
  } else if constexpr (JsonSequence<T>) {
    if (!json.is_array()) unexpected_json(json, place, "an array");
    T result;
    std::size_t index = 0;
    for (const auto& element : json.get_array()) {
      result.insert(result.end(),
                    from_json<typename T::value_type>(element, JsonPlace{place, index}, rules));
      ++index;
    }
    return result;
  } else if constexpr (DescribedClass<T>) {
    return class_from_json<T>(json, place, rules);
  } else {
    auto result = boost::json::try_value_to<T>(json);
    if (!result) place.fail(result.error().message());
    return *std::move(result);
  }
}

/// Throws Error (bad_option) for a number that JSON cannot say.
template <typename T>
boost::json::value to_json(const T& value, const boost::json::storage_ptr& storage) {
  if constexpr (std::same_as<T, boost::json::value> || std::same_as<T, boost::json::object> ||
                std::same_as<T, boost::json::array> || OwnJsonFromValue<T>) {
    return boost::json::value_from(value, storage);
  } else if constexpr (std::floating_point<T>) {
    if (!std::isfinite(value)) throw Error(Fault::bad_option, "JSON has no infinity and no NaN");
    return boost::json::value(static_cast<double>(value), storage);
  } else if constexpr (is_std_optional<T>) {
    return value ? to_json(*value, storage) : boost::json::value(nullptr, storage);
  } else if constexpr (DescribedClass<T>) {
    boost::json::object object(storage);
    boost::mp11::mp_for_each<JsonMembers<T>>([&](auto member) {
      const auto& own = value.*member.pointer;
      if constexpr (is_std_optional<std::remove_cvref_t<decltype(own)>>) {
        if (!own) return;
      }
      object.emplace(member.name, to_json(own, storage));
    });
    return object;
  } else if constexpr (JsonMap<T>) {
    boost::json::object object(storage);
    for (const auto& [key, own] : value) {
      object.emplace(std::string_view{key}, to_json(own, storage));
    }
    return object;
  } else if constexpr (JsonSequence<T> && !boost::json::is_string_like<T>::value) {
    boost::json::array array(storage);
    for (const auto& element : value) array.push_back(to_json(element, storage));
    return array;
  } else {
    return boost::json::value_from(value, storage);
  }
}

}  // namespace hotline::detail
