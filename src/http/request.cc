#include <hotline/http/request.h>

#include <algorithm>

#include <hotline/http/query.h>

#include "base/header_tokens.h"

namespace hotline::http {

Request::Request(RequestHead head)
    : method_(head.method),
      target_(head.target),
      version_(head.version),
      fields_(std::move(head.fields)),
      host_(head.host),
      secure_(head.secure),
      remote_(head.remote),
      local_(head.local),
      client_(head.remote) {
  if (host_.empty()) host_ = header("Host");
}

std::string_view Request::query() const noexcept {
  const auto mark = target_.find('?');
  return mark == std::string_view::npos ? std::string_view{} : target_.substr(mark + 1);
}

std::optional<std::string> Request::query_parameter(std::string_view name) const {
  return Query{query()}.find(name);
}

std::string_view Request::header(std::string_view name) const noexcept {
  for (const auto& field : fields_) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

std::size_t Request::header_count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const Field& field) { return equals_ignoring_case(field.name, name); }));
}

bool Request::header_has_token(std::string_view name, std::string_view token) const noexcept {
  return std::any_of(fields_.begin(), fields_.end(), [&](const Field& field) {
    return equals_ignoring_case(field.name, name) && list_contains(field.value, token);
  });
}

std::string_view Request::parameter(std::string_view name) const noexcept {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return {};
}

bool Request::is_websocket_upgrade() const noexcept {
  return header_has_token("Upgrade", "websocket") && header_has_token("Connection", "upgrade");
}

std::vector<std::string_view> Request::websocket_subprotocols() const {
  std::vector<std::string_view> result;
  for (const auto& field : fields_) {
    if (!equals_ignoring_case(field.name, "Sec-WebSocket-Protocol")) continue;
    ListSplitter elements{field.value};
    while (const auto element = elements.next()) {
      if (!element->empty()) result.push_back(*element);
    }
  }
  return result;
}

}  // namespace hotline::http
