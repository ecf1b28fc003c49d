#include "net/happy_eyeballs.h"

#include <algorithm>

#include <hotline/base/error.h>

#include "net/loop.h"

namespace hotline {
namespace {

std::size_t index(Family family) noexcept { return static_cast<std::size_t>(family); }

Family other(Family family) noexcept {
  return family == Family::ipv4 ? Family::ipv6 : Family::ipv4;
}

}  // namespace

class ConnectRace::Attempt final : private detail::ChainOwner {
 public:
  Attempt(ConnectRace& race, const Address& address) : race_(race), address_(address) {}

  const Address& address() const noexcept { return address_; }
  /// `this` may be gone afterwards.
  void start(Task<StreamPointer> task) noexcept { chain_.start(std::move(task), *this); }
  StreamPointer result() { return chain_.result<StreamPointer>(); }

 private:
  void chain_finished() noexcept override { race_.ended(*this); }

  ConnectRace& race_;
  Address address_;
  detail::Chain chain_;
};

ConnectRace::ConnectRace(Loop& loop, std::string target, Connect connect, ConnectTimings* timings)
    : loop_(loop),
      target_(std::move(target)),
      connect_(std::move(connect)),
      timings_(timings),
      begun_at_(loop.now()) {}

ConnectRace::~ConnectRace() = default;

bool ConnectRace::begin() noexcept {
  if (loop_.draining()) {
    exception_ = std::make_exception_ptr(Cancelled());
    return false;
  }
  join(loop_);
  return true;
}

void ConnectRace::answered(Family family, NameAnswer answer) noexcept {
  asked_[index(family)] = false;
  auto& known = known_[index(family)];
  known.insert(known.end(), answer.addresses.begin(), answer.addresses.end());
  // That a name has no address of a family says less than any other failure.
  if (known.empty() && (name_failure_.empty() || family == Family::ipv4)) {
    name_failure_ = std::move(answer.failure);
  }
  if (!settled_) consider();
}

// After an answer. `this` may be gone afterwards, as it may after all that these call.
void ConnectRace::consider() noexcept {
  const bool has_ipv4 = !known_[index(Family::ipv4)].empty();
  const bool has_ipv6 = !known_[index(Family::ipv6)].empty();
  const bool ipv6_may_come = asked_[index(Family::ipv6)];
  if (started_) {
    if (!is_set() || attempts_.empty()) try_next();
  } else if (has_ipv6 || (has_ipv4 && !ipv6_may_come)) {
    start();
  } else if (has_ipv4) {
    set(loop_, loop_.now() + resolution_delay);
  } else if (!ipv6_may_come && !asked_[index(Family::ipv4)]) {
    if (timings_) timings_->name = loop_.now() - begun_at_;
    exception_ = std::make_exception_ptr(
        Error(Fault::name_not_found, escaped(target_) + " (" + name_failure_ + ")"));
    settle();
  }
}

void ConnectRace::start() noexcept {
  started_ = true;
  started_at_ = loop_.now();
  if (timings_) timings_->name = started_at_ - begun_at_;
  try_next();
}

void ConnectRace::try_next() noexcept {
  auto family = known_[index(next_)].empty() ? other(next_) : next_;
  auto& known = known_[index(family)];
  if (known.empty()) {
    const bool more_may_come = asked_[0] || asked_[1];
    if (!attempts_.empty() || more_may_come) return;
    exception_ = failure();
    return settle();
  }
  next_ = other(family);
  const auto address = known.front();
  known.pop_front();
  auto& attempt = *attempts_.emplace_back(std::make_unique<Attempt>(*this, address));
  set(loop_, loop_.now() + attempt_delay);
  attempt.start(connect_(address));
}

void ConnectRace::ended(Attempt& attempt) noexcept {
  const auto own = std::ranges::find(attempts_, &attempt, &std::unique_ptr<Attempt>::get);
  const auto kept = std::move(*own);  // until its result is known
  attempts_.erase(own);
  try {
    winner_ = kept->result();
    if (timings_) timings_->connect = loop_.now() - started_at_;
  } catch (const Cancelled&) {
    exception_ = std::current_exception();
  } catch (const Error& error) {
    failed_.push_back({kept->address(), error.code()});
  } catch (...) {
    exception_ = std::current_exception();
  }
  if (winner_ || exception_) return settle();
  try_next();
}

void ConnectRace::settle() noexcept {
  settled_ = true;
  leave();
  cancel();
  attempts_.clear();
  if (resumption_) resumption_.resume();
}

void ConnectRace::expired() noexcept {
  if (!started_) return start();
  try_next();
}

void ConnectRace::drain() noexcept {
  exception_ = std::make_exception_ptr(Cancelled());
  settle();
}

// The attempts let go of their sockets by themselves, and will be destroyed with this.
void ConnectRace::abandon() noexcept {
  leave();
  cancel();
}

StreamPointer ConnectRace::await_resume() {
  if (exception_) std::rethrow_exception(exception_);
  return std::move(winner_);
}

std::exception_ptr ConnectRace::failure() const {
  const auto& last = failed_.back();
  std::string context = "cannot connect to " + escaped(target_);
  if (failed_.size() > 1 || last.address.to_string() != target_) {
    const char* separator = " (tried ";
    for (const auto& failed : failed_) {
      context += separator + failed.address.to_string();
      if (failed.code != last.code) context += ": " + failed.code.message();
      separator = ", ";
    }
    context += ")";
  }
  return std::make_exception_ptr(Error(last.code, context));
}

}  // namespace hotline
