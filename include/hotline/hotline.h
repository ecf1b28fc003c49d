#pragma once

/// Everything but the bridges to Asio and JSON; for small programs.
#include <hotline/base/clock.h>
#include <hotline/base/error.h>
#include <hotline/base/logger.h>
#include <hotline/base/task.h>
#include <hotline/http/exchange.h>
#include <hotline/http/middleware.h>
#include <hotline/http/observer.h>
#include <hotline/http/proxy_refused.h>
#include <hotline/http/query.h>
#include <hotline/http/server.h>
#include <hotline/http/static_files.h>
#include <hotline/net/byte_stream.h>
#include <hotline/net/deadline.h>
#include <hotline/net/offload.h>
#include <hotline/net/proxy_options.h>
#include <hotline/net/run.h>
#include <hotline/net/sleep.h>
#include <hotline/net/stop_source.h>
#include <hotline/net/task_group.h>
#include <hotline/websocket/byte_tunnel.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/message_stream.h>
#include <hotline/websocket/prepared.h>
#include <hotline/websocket/sender.h>
#include <hotline/websocket/upgrader.h>
