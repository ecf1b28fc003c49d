#include "http/proxy_protocol.h"

#include <string>

#include <gtest/gtest.h>

namespace hotline::http {
namespace {

using Result = ProxyHeaderReader::Result;
using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

/// A header of version 2.
std::string version2(unsigned command, unsigned family, const std::string& rest) {
  auto header = signature;
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(rest.size() >> 8);
  header += static_cast<char>(rest.size() & 0xff);
  return header + rest;
}
std::string addition(unsigned type, const std::string& value) {
  std::string bytes;
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(value.size() >> 8);
  bytes += static_cast<char>(value.size() & 0xff);
  return bytes + value;
}
// 192.0.2.7:4711 to 198.51.100.1:443
const std::string ipv4 = "\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x67\x01\xbb"s;

/// "client server", "socket" where it names nobody, "more", or "!" and why it is refused. The same
/// whole, byte by byte, and with something behind it.
std::string read(const std::string& header) {
  const auto tell = [&](ProxyHeaderReader& reader, Result result) -> std::string {
    switch (result) {
      case Result::need_more: return "more";
      case Result::refused: return "!" + std::string(reader.reason());
      case Result::complete: break;
    }
    EXPECT_EQ(reader.size(), header.size());
    if (!reader.names_client()) return "socket";
    return reader.client().to_string() + " " + reader.server().to_string();
  };
  ProxyHeaderReader whole;
  const auto answer = tell(whole, whole.feed(header));
  ProxyHeaderReader bytewise;
  auto result = Result::need_more;
  for (std::size_t i = 0; i < header.size() && result == Result::need_more; ++i) {
    result = bytewise.feed({&header[i], 1});
  }
  EXPECT_EQ(tell(bytewise, result), answer);
  if (answer != "more") {
    ProxyHeaderReader followed;
    EXPECT_EQ(tell(followed, followed.feed(header + "GET / HTTP/1.1\r\n")), answer);
  }
  return answer;
}

TEST(ProxyProtocol, reads_lines_of_version_1) {
  EXPECT_EQ(read("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"),
            "192.0.2.7:4711 198.51.100.1:443");
  EXPECT_EQ(read("PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n"),
            "[2001:db8::7]:4711 [2001:db8::1]:443");
  EXPECT_EQ(read("PROXY TCP4 255.255.255.255 255.255.255.255 65535 0\r\n"),
            "255.255.255.255:65535 255.255.255.255:0");
  EXPECT_EQ(read("PROXY UNKNOWN\r\n"), "socket");
  EXPECT_EQ(read("PROXY UNKNOWN ffff::1 whatever 1 2 3\r\n"), "socket");
  const std::string longest =
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
  ASSERT_EQ(longest.size(), 107u);
  EXPECT_EQ(read(longest), "socket");
}

TEST(ProxyProtocol, waits_for_the_whole_header) {
  for (const auto& header : {"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"s,
                             version2(0x21, 0x11, ipv4 + addition(4, "padding"))}) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(read(header.substr(0, size)), "more") << size;
    }
  }
}

TEST(ProxyProtocol, refuses_lines_that_are_not_exactly_so) {
  for (const char* line : {
           "PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443 \r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443 1\r\n",
           "PROXY  TCP4 192.0.2.7 198.51.100.1 4711 443\r\n",
           "PROXY TCP4  192.0.2.7 198.51.100.1 4711 443\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 4711 65536\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 4711 -1\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 4711 +1\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 04711 443\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 0x10 443\r\n",
           "PROXY TCP4 192.0.2.07 198.51.100.1 4711 443\r\n",
           "PROXY TCP4 192.0.2 198.51.100.1 4711 443\r\n",
           "PROXY TCP4 2001:db8::7 2001:db8::1 4711 443\r\n",
           "PROXY TCP6 192.0.2.7 198.51.100.1 4711 443\r\n",
           "PROXY TCP6 [2001:db8::7] 2001:db8::1 4711 443\r\n",
           "PROXY TCP6 fe80::1%eth0 2001:db8::1 4711 443\r\n",
           "PROXY tcp4 192.0.2.7 198.51.100.1 4711 443\r\n",
           "PROXY UDP4 192.0.2.7 198.51.100.1 4711 443\r\n",
           "PROXY TCP4\t192.0.2.7 198.51.100.1 4711 443\r\n",
           "PROXY UNKNOWNX\r\n",
           "PROXY \r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\rx",
           "PROXY UNKNOWN \x80\r\n",
           "proxy TCP4 192.0.2.7 198.51.100.1 4711 443\r\n",
       }) {
    EXPECT_EQ(read(line).substr(0, 1), "!") << line;
  }
  EXPECT_EQ(read("PROXY UNKNOWN "s + std::string(93, 'x')), "!too long");
  EXPECT_EQ(read("PROXY UNKNOWN "s + std::string(92, 'x')), "more");
  EXPECT_EQ(read("G"), "!no PROXY protocol") << "at the first byte";
  EXPECT_EQ(read("PROXX"), "!no PROXY protocol");
  EXPECT_EQ(read("\r\n\r\nx"), "!no PROXY protocol");
}

TEST(ProxyProtocol, reads_version_2) {
  EXPECT_EQ(read(version2(0x21, 0x11, ipv4)), "192.0.2.7:4711 198.51.100.1:443");
  const auto ipv6 = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"s +
                    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\x01\xbb"s;
  EXPECT_EQ(read(version2(0x21, 0x21, ipv6)), "[2001:db8::7]:4711 [2001:db8::1]:443");
  EXPECT_EQ(read(version2(0x21, 0x31, std::string(216, 'p'))), "socket") << "behind a unix socket";
  EXPECT_EQ(read(version2(0x21, 0x00, "")), "socket");
  EXPECT_EQ(read(version2(0x21, 0x00, "what this is nobody says")), "socket");
  EXPECT_EQ(read(version2(0x20, 0x00, "")), "socket");
  EXPECT_EQ(read(version2(0x20, 0x11, ipv4)), "socket") << "the proxy itself";
}

TEST(ProxyProtocol, skips_additional_values_within_their_lengths) {
  EXPECT_EQ(read(version2(0x21, 0x11,
                          ipv4 + addition(1, "h2") + addition(4, "") +
                              addition(0x20, std::string(300, 's')))),
            "192.0.2.7:4711 198.51.100.1:443");
  const auto filled = [](std::size_t size) {
    return version2(0x21, 0x11, ipv4 + addition(4, std::string(size - ipv4.size() - 3, 'p')));
  };
  EXPECT_EQ(read(filled(4096)), "192.0.2.7:4711 198.51.100.1:443");
  EXPECT_EQ(read(filled(4097)).substr(0, 17), "!too long");
  for (const auto& rest :
       {"\x04"s, "\x04\x00"s, "\x04\x00\x01"s, "\x04\x01\x00x"s, addition(4, "xyz") + "\x01"s}) {
    EXPECT_EQ(read(version2(0x21, 0x11, ipv4 + rest)), "!malformed additional values");
  }
}

TEST(ProxyProtocol, checks_the_checksum_if_there_is_one) {
  // CRC-32C of the header with zeros in its place, by another implementation.
  const auto with = [](const std::string& sum) {
    return version2(0x21, 0x11, ipv4 + addition(3, sum));
  };
  EXPECT_EQ(read(with("\x6a\xcd\xf6\x1c"s)), "192.0.2.7:4711 198.51.100.1:443");
  EXPECT_EQ(read(with("\0\0\0\0"s)), "!malformed additional values");
  EXPECT_EQ(read(with("CRC")), "!malformed additional values");
}

TEST(ProxyProtocol, refuses_what_version_2_does_not_know) {
  for (const unsigned command : {0x00u, 0x11u, 0x22u, 0x2fu, 0x31u, 0xffu}) {
    EXPECT_EQ(read(signature + static_cast<char>(command)), "!an unknown version or command");
  }
  for (const unsigned family : {0x01u, 0x10u, 0x12u, 0x22u, 0x32u, 0x41u, 0xffu}) {
    EXPECT_EQ(read(signature + "\x21" + static_cast<char>(family)),
              "!an unknown address family, or no stream");
  }
  for (std::size_t size = 0; size < ipv4.size(); ++size) {
    EXPECT_EQ(read(version2(0x21, 0x11, ipv4.substr(0, size))), "!too short for its addresses");
  }
  EXPECT_EQ(read(version2(0x21, 0x21, ipv4)), "!too short for its addresses");
  EXPECT_EQ(read(version2(0x21, 0x31, ipv4)), "!too short for its addresses");
}

}  // namespace
}  // namespace hotline::http
