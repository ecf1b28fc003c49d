#include <hotline/net/stop_source.h>

#include "net/loop.h"

namespace hotline {

StopSource::StopSource() {
  auto& loop = Loop::require();
  if (loop.draining()) {
    request();
  } else {
    join(loop);
  }
}

}  // namespace hotline
