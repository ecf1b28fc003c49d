#pragma once

// JSON messages, by Boost.JSON:
//
//     struct Order {
//       std::string item;
//       int count;
//       std::optional<std::string> note;
//     };
//     BOOST_DESCRIBE_STRUCT(Order, (), (item, count, note))
//
//     while (auto order = co_await hotline::read_json<Order>(connection)) {
//       const Receipt receipt = sell(*order);
//       co_await hotline::write_json(connection, receipt);
//     }
//
// A type is a boost::json::value, object or array; a struct or enum described by Boost.Describe; a
// bool, number or std::string; std::optional, vectors, maps with string keys, tuples and arrays of
// all these; or what has a tag_invoke for boost::json::value_to and value_from. A std::optional
// member may be missing or null, every other one must be there; of an enum the names are used.
//
// Needs Boost 1.81 or later. Link hotline::json (CMake), or -lboost_json (pkg-config).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>

#include <hotline/base/task.h>
#include <hotline/json_convert.h>
#include <hotline/websocket/connection.h>

namespace hotline {

/// What is taken for JSON, and what becomes of the rest.
struct JsonOptions {
  /// Bytes of a message. The connection's own limit comes first (Limits::message_size, 1009).
  std::size_t size = std::size_t{1} << 20;
  /// Arrays and objects within each other.
  std::size_t depth = 32;
  /// Members that a struct does not have are passed over; otherwise they are an error.
  bool unknown_members = true;
  /// A message that does not parse closes the connection, with the reason: 1007; 1003 if it is
  /// binary, 1009 if it is too big. The read gives nullopt then. Otherwise it throws.
  bool close_invalid = false;
};

/// A JSON text as a T. Throws Error: invalid_json says what is wrong, and where (the member, or the
/// byte counted from 0); message_too_big.
template <typename T>
T parse_json(std::string_view text, const JsonOptions& options = {}) {
  if (text.size() > options.size) {
    throw Error(Fault::message_too_big, std::to_string(text.size()) + " bytes of JSON");
  }
  boost::json::parse_options parsing;
  parsing.max_depth = options.depth;
  unsigned char parser_memory[1024];
  boost::json::parser parser{boost::json::storage_ptr{}, parsing, parser_memory};
  // Boost.JSON copies a value with its memory resource: whatever T keeps of it must outlive this
  // call, so it is no resource of this call's own.
  parser.reset();
  boost::json::error_code error;
  const auto parsed = parser.write(text.data(), text.size(), error);
  if (error) {
    throw Error(Fault::invalid_json, "at byte " + std::to_string(parsed) + ": " + error.message());
  }
  const detail::JsonRules rules{.unknown_members = options.unknown_members};
  if constexpr (std::is_same_v<T, boost::json::value>) {
    return parser.release();
  } else {
    return detail::from_json<T>(parser.release(), detail::JsonPlace{}, rules);
  }
}

/// A value as JSON text. Throws Error (bad_option) for a number that is infinite or NaN.
template <typename T>
std::string json_text(const T& value) {
  unsigned char bytes[2048];
  boost::json::monotonic_resource memory{bytes};
  return boost::json::serialize(detail::to_json(value, boost::json::storage_ptr{&memory}));
}

/// Reads and writes JSON on a connection that outlives it, by options. What holds for
/// Connection::read and write holds here: one reader, any number of writers.
class Json {
 public:
  explicit Json(websocket::Connection& connection, JsonOptions options = {})
      : connection_(connection), options_(options) {}

  /// The next message as a T; nullopt when the connection has ended. Where a message is not what
  /// was asked for, throws Error (invalid_json or message_too_big; the connection is as usable as
  /// before, and the next read goes on behind that message), or closes: JsonOptions::close_invalid.
  /// The result owns all it has.
  template <typename T>
  Task<std::optional<T>> read() {
    return read_message<T>(connection_, options_);
  }

  /// Sends a text message; false: the connection has ended. The value is taken by the call itself.
  /// Name the value first if it is an aggregate: g++ 12 destroys twice one that is made inside a
  /// co_await expression.
  template <typename T>
  Task<bool> write(const T& value) {
    return write_message(connection_, json_text(value));
  }
  template <typename T>
    requires std::is_aggregate_v<T>
  Task<bool> write(T&&) = delete;

 private:
  template <typename T>
  static Task<std::optional<T>> read_message(websocket::Connection& connection,
                                             JsonOptions options) {
    auto message = co_await connection.read();
    if (!message) co_return std::nullopt;
    auto code = websocket::CloseCode::invalid_payload;
    std::string reason;
    try {
      if (message->is_text()) co_return parse_json<T>(message->text(), options);
      code = websocket::CloseCode::unsupported_data;
      throw Error(Fault::invalid_json, "a binary message");
    } catch (const Error& error) {
      if (!options.close_invalid) throw;
      if (error.code() == Fault::message_too_big) code = websocket::CloseCode::message_too_big;
      reason = error.what();
    }
    co_await connection.close(code, reason);
    co_return std::nullopt;
  }
  static Task<bool> write_message(websocket::Connection& connection, std::string text) {
    co_return co_await connection.write(text);
  }

  websocket::Connection& connection_;
  JsonOptions options_;
};

/// Json::read with the default options: what is not a T throws.
template <typename T>
Task<std::optional<T>> read_json(websocket::Connection& connection) {
  return Json{connection}.read<T>();
}
template <typename T>
Task<std::optional<T>> read_json(websocket::Connection&&) = delete;

/// Json::write.
template <typename T>
Task<bool> write_json(websocket::Connection& connection, const T& value) {
  return Json{connection}.write(value);
}
template <typename T>
  requires std::is_aggregate_v<T>
Task<bool> write_json(websocket::Connection&, T&&) = delete;

}  // namespace hotline
