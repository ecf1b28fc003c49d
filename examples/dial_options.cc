// What a Dialer can be told: certificates, a proxy, redirects, cookies; and who watches it.
//   dial_options URL CA_FILE
#include <iostream>
#include <memory>
#include <string>

#include <hotline/hotline.h>

using namespace std::chrono_literals;
using hotline::websocket::CookieJar;
using hotline::websocket::Dialer;
using hotline::websocket::DialObserver;
using hotline::websocket::DialStep;

class Watch final : public DialObserver {
  void done(DialStep step, hotline::Duration took) noexcept override {
    std::cout << name(step) << ": " << took / 1us << " us" << std::endl;
  }
  void secured(const hotline::TlsInfo& tls) noexcept override {
    std::cout << tls.version << " with " << tls.peer.subject << std::endl;
  }
};

hotline::Task<> call(std::string url, std::string ca_file) {
  const auto cookies = std::make_shared<CookieJar>();
  const Dialer dialer{{
      .origin = "https://example.org",
      .cookies = cookies,
      .limits = {.message_size = 64 << 20},
      .timeout = 10s,
      .tls = {.ca_file = ca_file},
      .proxy = {.from_environment = false},
      .redirects = 3,
      .dial_observer = std::make_shared<Watch>(),
  }};
  hotline::http::ResponseHead response;
  auto connection = co_await dialer.dial(url, &response);
  std::cout << response.status << ", " << cookies->cookies().size() << " cookies" << std::endl;
  co_await connection.close();
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  try {
    hotline::run(call(argv[1], argv[2]));
    return 0;
  } catch (const hotline::Error& error) {
    std::cout << error.what() << std::endl;
    return 1;
  }
}
