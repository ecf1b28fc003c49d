#include "http/request_builder.h"

#include <limits>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "http/request_rules.h"

namespace hotline::http {

namespace beast = boost::beast;

// Beast's parser, which gives views into the head: it meets only heads whose every line has been
// looked at, and is there to agree.
class RequestBuilder::Parser final : public beast::http::basic_parser<true> {
 public:
  explicit Parser(Request& request) : request_(request) {
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(boost::none);
    skip(true);
  }

 private:
  using Field = beast::http::field;
  using Code = beast::error_code;

  static std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, Code&) override {
    request_.method_ = view(method);
    request_.target_ = view(target);
    request_.version_ = version;
  }
  void on_field_impl(Field, beast::string_view name, beast::string_view value, Code&) override {
    request_.fields_.push_back({view(name), view(value)});
  }
  void on_header_impl(Code&) override {}
  void on_response_impl(int, beast::string_view, int, Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(beast::string_view, Code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, Code&) override { return 0; }
  void on_finish_impl(Code&) override {}

  Request& request_;
};

namespace {

// Beast knows some of our rules, too, and stops where it meets them first.
std::string_view reason_of(const beast::error_code& error) noexcept {
  using Code = beast::http::error;
  if (error == Code::multiple_content_length) return "Content-Length is repeated";
  if (error == Code::bad_content_length) {
    return "Content-Length is not a number, or stands beside Transfer-Encoding";
  }
  if (error == Code::bad_transfer_encoding) {
    return "Transfer-Encoding is repeated, or stands beside Content-Length";
  }
  return "a header field has a malformed value";
}

}  // namespace

std::optional<Refusal> RequestBuilder::build(std::string_view head, std::size_t fields,
                                             Request& request, RequestTraits& traits) {
  if (head.starts_with("\r\n")) head.remove_prefix(2);
  request.head_ = head;
  request.fields_.clear();
  request.fields_.reserve(fields);
  request.parameters_.clear();
  Parser parser{request};
  beast::error_code error;
  parser.put(boost::asio::const_buffer{head.data(), head.size()}, error);
  if (error || !parser.is_done()) return Refusal{Status::bad_request, reason_of(error)};
  if (auto refusal = check_fields(request, traits)) return refusal;
  request.host_ = traits.host;
  return check_target(request.method_, traits.host, request.target_);
}

}  // namespace hotline::http
