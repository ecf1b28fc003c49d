#include "http/handler_run.h"

#include <exception>
#include <string>

#include <hotline/base/error.h>

#include "http/http1_exchange.h"
#include "http/http1_session.h"
#include "http/worker.h"

namespace hotline::http {

HandlerRun::HandlerRun(Worker& worker, const Route& route, Http1Exchange& exchange) noexcept
    : worker_(worker), route_(route), exchange_(&exchange) {
  worker_.add(*this);
  worker_.loop().connection_opened();
  exchange.run_by(this);
}

HandlerRun::~HandlerRun() {
  unlink();
  chain_.reset();  // with it, as a rule, the Exchange: exchange_released()
  if (exchange_) exchange_->run_by(nullptr);
  if (session_) session_->handler_ended();
  worker_.loop().connection_closed();
}

void HandlerRun::serve(Http1Session& session) noexcept {
  session_ = &session;
  session.run_by(*this);
}

void HandlerRun::start(Worker& worker, const Route& route, Http1Exchange& exchange) noexcept {
  auto* run = new HandlerRun{worker, route, exchange};
  Task<> task;
  std::exception_ptr exception;
  try {
    task = route.handler(Exchange{detail::ExchangePointer{&exchange}});
  } catch (...) {
    exception = std::current_exception();
  }
  if (task.empty()) {
    run->ended(exception);
  } else {
    run->chain_.start(std::move(task), *run);
  }
}

void HandlerRun::chain_finished() noexcept { ended(chain_.exception()); }

void HandlerRun::ended(const std::exception_ptr& exception) noexcept {
  // The observer hears of it before the task's own parameters go, a connection perhaps among them.
  observer_.tell(is_failure(exception));
  delete this;
}

// Leaving a handler by Cancelled is an ordinary ending.
bool HandlerRun::is_failure(const std::exception_ptr& exception) noexcept {
  if (!exception) return false;
  std::string what = "an exception of an unknown type";
  try {
    std::rethrow_exception(exception);
  } catch (const detail::ClientFault&) {
    return false;
  } catch (const Error& error) {
    if (error.is(Condition::cancelled)) return false;
    what = error.what();
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
  }
  worker_.loop().log(LogLevel::error, [&] {
    return "the handler of " + escaped(route_.pattern.text) + " failed: " + escaped(what);
  });
  return true;
}

}  // namespace hotline::http
