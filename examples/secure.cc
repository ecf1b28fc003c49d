// A server that speaks TLS, and clients that show who they are (mutual TLS).
//   secure PORT CERTIFICATE KEY CLIENT_CA     then:
//   curl --cacert CA --cert MINE --key MINE.key https://127.0.0.1:8443/who
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

namespace http = hotline::http;
using hotline::Task;

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));  // 0: one that is free
  const std::string certificate_file = argv[2];
  const std::string key_file = argv[3];
  const std::string client_ca_file = argv[4];

  http::ServerOptions options{.port = port};
  options.tls.certificates = {{certificate_file, key_file}};
  options.tls.client_ca_file = client_ca_file;
  http::Server server{options};
  server.handle("/who", [](http::Exchange exchange) -> Task<> {
    const auto* tls = exchange.request().tls();  // null where none was spoken
    co_await exchange.respond(http::Status::ok, tls->version + " " + tls->peer.subject + "\n");
  });
  server.listen();
  std::cout << "https://127.0.0.1:" << server.port() << "/who" << std::endl;
  return server.run();
}
