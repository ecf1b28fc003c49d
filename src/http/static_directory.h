#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <hotline/http/static_files.h>

#include "http/open_beneath.h"

namespace hotline::http {

/// What directory() serves. Immutable; outlives its tasks.
class StaticDirectory {
 public:
  StaticDirectory(const std::string& path, StaticOptions options, Beneath how);

  Task<> serve(Exchange exchange) const;

 private:
  struct Answer;

  std::optional<std::string> file_name(std::string_view rest) const;
  Answer answer(const Request& request) const;
  Answer answer(const Request& request, std::string name, OpenFile file) const;

  std::string root_;  // absolute; opened anew each time, since a deployment may replace it
  StaticOptions options_;
  Beneath how_;
};

}  // namespace hotline::http
