#pragma once

#include <string>

#include <hotline/http/exchange.h>

namespace hotline::http {

struct StaticOptions {
  /// What is served where a path ends in "/"; "": nothing.
  std::string index = "index.html";
  /// Cache-Control of all that is served, "max-age=3600" perhaps; "": no such field, and clients
  /// decide for themselves when to ask whether a file has changed.
  std::string cache_control = {};
  /// Whether files, and what is in directories, whose name begins with a dot are served.
  bool dotfiles = false;
};

/// A handler that serves the files below the directory `path`, as they are when they are asked for:
///
///     server.handle("/static/", http::directory("public"));       // /static/a/b.css:
///     public/a/b.css server.handle("GET /{file...}", http::directory("/srv/site"));
///
/// The file is named by what the end of the route's pattern stands for (Request::rest). GET and
/// HEAD, anything else is 405. With ETag and Last-Modified, the conditions of RFC 9110 13, and one
/// Range (RFC 9110 14; of several, the whole is sent); X-Content-Type-Options: nosniff; the type
/// goes by the file's extension. Directories are never listed.
///
/// Nothing outside the directory is served: no "..", however it is encoded, and no symbolic link
/// that leads out; links that stay inside are followed (not at all on kernels before 5.6). FIFOs,
/// sockets and devices are not served, and not waited for. A path with an encoded slash names
/// nothing.
///
/// Reads on the loop's thread, up to 64 KiB at a time: for files on a local disk. A file that
/// becomes shorter while it is sent cuts the connection, so that nobody takes it for whole.
///
/// Throws Error if `path` is no directory that can be opened, or an option cannot be.
Handler directory(const std::string& path, StaticOptions options = {});

}  // namespace hotline::http
