#include "tools/autobahn.h"

#include <charconv>
#include <iostream>
#include <string_view>

#include <hotline/hotline.h>
#include <hotline/net/run.h>
#include <hotline/websocket/dialer.h>

#include "tools/call_ending.h"

namespace hotline::tools {
namespace {

using websocket::Dialer;

// Its cases are as large as 16 MiB, and in up to 131,072 fragments.
websocket::DialerOptions large_limits() {
  websocket::DialerOptions options;
  options.limits.message_size = std::uint64_t{64} << 20;
  options.limits.fragments = 1 << 20;
  return options;
}

Task<unsigned> count_of_cases(const Dialer& dialer, const std::string& url) {
  unsigned count = 0;
  auto connection = co_await dialer.dial(url + "/getCaseCount");
  while (auto message = co_await connection.read()) {
    const auto text = message->text();
    std::from_chars(text.data(), text.data() + text.size(), count);
  }
  co_return count;
}

Task<> echo(const Dialer& dialer, const std::string& url) {
  auto connection = co_await dialer.dial(url);
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
  auto closed = connection.closed();
  co_await closed;
}

Task<> run_cases(std::string url) {
  const Dialer dialer{large_limits()};
  while (url.ends_with('/')) url.pop_back();
  const auto count = co_await count_of_cases(dialer, url);
  for (unsigned number = 1; number <= count; ++number) {
    std::cout << "case " << number << " of " << count << std::endl;
    const auto place = url + "/runCase?case=" + std::to_string(number) + "&agent=hotline";
    try {
      co_await echo(dialer, place);
    } catch (const Error& error) {
      std::cerr << "case " << number << ": " << error.what() << '\n';
    }
  }
  co_await echo(dialer, url + "/updateReports?agent=hotline");
}

}  // namespace

int run_autobahn(const std::string& url) {
  std::exception_ptr failure;
  try {
    run(run_cases(url));
    return CallEnding::clean;
  } catch (...) {
    failure = std::current_exception();
  }
  const auto ending = ending_of(failure);
  std::cerr << "hotline: " << ending.sentence << '\n';
  return ending.status;
}

}  // namespace hotline::tools
