#include <hotline/websocket/message_stream.h>

#include <array>

#include <hotline/base/error.h>

#include "net/loop.h"
#include "websocket/connection_core.h"
#include "websocket/connection_extras.h"
#include "websocket/observation.h"

namespace hotline::websocket {

using protocol::EventKind;
using protocol::Opcode;
using protocol::Role;

// ---- Reading

ReadStreamBegin Connection::read_stream(const ReadStreamOptions& options) & {
  const auto complain = [](const char* name) {
    throw Error(Fault::bad_option, std::string("ReadStreamOptions::") + name + ": 0");
  };
  if (options.message_size == 0) complain("message_size");
  if (options.rate_floor == 0) complain("rate_floor");
  if (options.patience <= Duration::zero()) complain("patience");
  return ReadStreamBegin{*core_, options};
}

ReadStreamBegin Connection::read_stream() & { return read_stream(ReadStreamOptions{}); }

bool ConnectionCore::begin_stream(Connection::Read& read, std::uint64_t message_size, bool& begun) {
  if (reader_ || settling_) throw Error(Fault::concurrent_read);
  release_message();
  if (state_ == State::ended) return true;
  if (has_unread_ && unread_.kind == EventKind::message) {  // it has come whole already
    if (unread_.data.size() <= message_size) {
      begun = settling_ = true;
      return read_slowly(read);
    }
    refuse_large();
    return true;
  }
  if (has_unread_) {
    has_unread_ = false;
    if (!pumping_ && !yielding_) post_pump();
  }
  if (state_ == State::open && !session_.stream(message_size)) throw std::bad_alloc{};
  begun = settling_ = true;
  return read_slowly(read);
}

void ConnectionCore::give_up_stream() noexcept {
  settling_ = false;
  session_.stop_streaming();
}

bool ConnectionCore::read_piece(Connection::Read& read) {
  if (reader_) throw Error(Fault::concurrent_read);
  release_message();
  return read_slowly(read);
}

void ConnectionCore::skip_stream() noexcept {
  settling_ = false;
  if (state_ == State::ended) return;
  session_.stop_streaming();
  if (!has_unread_ || unread_.kind != EventKind::piece) return;
  has_unread_ = false;
  if (!pumping_ && !yielding_) post_pump();
}

void ConnectionCore::stream_too_slow() noexcept {
  if (is_open()) fail(CloseCode::policy_violation, "the message comes too slowly");
}

void ConnectionCore::refuse_large() noexcept {
  const auto refused = session_.refuse_large();
  fail(refused.code, refused.text());
}

bool ReadStreamBegin::await_ready() {
  return core_.begin_stream(*this, options_.message_size, begun_);
}

ReadStream ReadStreamBegin::await_resume() {
  const bool begun = std::exchange(begun_, false);
  if (found_ == Found::nothing) {
    if (begun) core_.stream_read();
    return ReadStream{};
  }
  ReadStream stream{core_, opcode_, options_};
  stream.last_ = core_.piece_was_last();
  stream.first_ = Read::await_resume();
  if (stream.first_->empty()) {
    stream.first_.reset();
    if (stream.last_) {
      stream.state_ = ReadStream::State::complete;
      core_.stream_read();
    }
  }
  return stream;
}

void ReadStreamBegin::give_up() noexcept {
  // What it has found, if anything, goes unread.
  core_.give_up_stream();
}

ReadStream::ReadStream(ReadStream&& other) noexcept
    : core_(std::move(other.core_)),
      options_(other.options_),
      credit_(other.credit_),
      size_(other.size_),
      first_(std::exchange(other.first_, std::nullopt)),
      state_(std::exchange(other.state_, State::none)),
      last_(other.last_),
      opcode_(other.opcode_) {}

ReadStream& ReadStream::operator=(ReadStream&& other) noexcept {
  if (this == &other) return *this;
  drop();
  core_ = CoreReference{};
  core_ = std::move(other.core_);
  options_ = other.options_;
  credit_ = other.credit_;
  size_ = other.size_;
  first_ = std::exchange(other.first_, std::nullopt);
  state_ = std::exchange(other.state_, State::none);
  last_ = other.last_;
  opcode_ = other.opcode_;
  return *this;
}

void ReadStream::drop() noexcept {
  if (state_ != State::open) return;
  state_ = State::broken;
  if (last_) {
    core_->stream_read();
  } else {
    core_->skip_stream();
  }
}

bool ReadStream::Read::await_ready() {
  if (stream_.state_ != State::open || stream_.first_) return true;
  return core_.read_piece(*this);
}

void ReadStream::Read::limit_wait() noexcept {
  if (!core_.is_open()) return;
  waited_ = true;
  since_ = core_.loop().now();
  Timer::set(core_.loop(), since_ + stream_.credit_);
}

void ReadStream::Read::expired() noexcept { core_.stream_too_slow(); }

std::optional<Message> ReadStream::Read::await_resume() noexcept {
  auto& stream = stream_;
  Timer::cancel();
  if (stream.state_ != State::open) return std::nullopt;
  std::optional<Message> piece;
  if (stream.first_) {
    piece = std::exchange(stream.first_, std::nullopt);
  } else {
    piece = Connection::Read::await_resume();
    if (!piece) {
      stream.state_ = State::broken;
      return std::nullopt;
    }
    stream.last_ = core_.piece_was_last();
  }
  stream.size_ += piece->size();
  // Only the time that the peer was waited for is counted against it, and what it is ahead only up
  // to the patience.
  if (waited_) stream.credit_ -= core_.loop().now() - since_;
  const auto earned = std::chrono::duration<double>(
      static_cast<double>(piece->size()) / static_cast<double>(stream.options_.rate_floor));
  const auto lacking = stream.options_.patience - stream.credit_;
  stream.credit_ += earned >= lacking ? lacking : std::chrono::duration_cast<Duration>(earned);
  if (stream.last_) {
    stream.state_ = State::complete;
    core_.stream_read();
    if (piece->empty()) return std::nullopt;
  }
  static_cast<void>(piece->writable());  // a piece is not known to be a text by itself
  return piece;
}

// ---- Writing

WriteStream Connection::write_stream(Opcode opcode) {
  if (opcode != Opcode::text && opcode != Opcode::binary) {
    throw Error(Fault::bad_option, "write_stream: neither text nor binary");
  }
  return WriteStream{*core_, opcode};
}

WriteStream::WriteStream(WriteStream&& other) noexcept
    : core_(std::move(other.core_)),
      text_(other.text_),
      opcode_(other.opcode_),
      begun_(std::exchange(other.begun_, false)),
      finished_(other.finished_) {}

WriteStream& WriteStream::operator=(WriteStream&& other) noexcept {
  if (this == &other) return *this;
  abandon();
  core_ = CoreReference{};
  core_ = std::move(other.core_);
  text_ = other.text_;
  opcode_ = other.opcode_;
  begun_ = std::exchange(other.begun_, false);
  finished_ = other.finished_;
  return *this;
}

void WriteStream::abandon() noexcept {
  if (begun_ && !finished_)
    core_->start_close(CloseCode::internal_error, "a message was abandoned");
}

bool WriteStream::Write::await_ready() {
  if (stream_.finished_) throw Error(Fault::bad_option, "write_stream: the message is finished");
  text_ = stream_.text_;
  if (stream_.opcode_ == Opcode::text &&
      (!text_.feed({data_, size_}) || (last_ && !text_.complete()))) {
    throw Error(Fault::invalid_text, "write_stream");
  }
  if (!core_.is_open()) return true;
  if (size_ == 0 && !last_) {
    taken_ = true;
    return true;
  }
  if (!stream_.begun_ && core_.is_streaming_out()) {
    core_.hold_stream(*this);
    return false;
  }
  return !put() && !core_.wrote_enough(size_);
}

bool WriteStream::Write::put() noexcept {
  const bool first = !std::exchange(stream_.begun_, true);
  stream_.text_ = text_;
  if (first) core_.begin_streaming_out();
  const auto opcode = first ? stream_.opcode_ : Opcode::continuation;
  const bool waits = core_.write_frame(opcode, last_, {data_, size_}, this);
  taken_ = !core_.output_failed_already();
  if (last_) {
    stream_.finished_ = true;
    core_.end_streaming_out();
  }
  return waits;
}

bool ConnectionCore::write_frame(Opcode opcode, bool fin, std::span<const char> payload,
                                 hotline::detail::Segment* segment) noexcept {
  moved_ = true;
  if (observation_) observation_->sent(payload.size(), fin ? 1 : 0);
  if (role() == Role::server) {
    std::array<char, protocol::max_frame_header_size> header;
    const auto size = session_.fragment_header(opcode, fin, payload.size(), header);
    return size != 0 && output_.write({header.data(), size}, payload, segment);
  }
  send_frame(opcode, payload, fin);
  return segment && output_.wait_if_high(*segment);
}

// ---- Those who wait for another message to end

void ConnectionCore::hold(Connection::Write& write, const detail::PreparedFrame* frame) {
  using Kind = ConnectionExtras::Held::Kind;
  extras().held.push_back({&write,
                           frame ? Kind::prepared : Kind::message,
                           static_cast<Opcode>(write.kind_ & 0x0F),
                           {write.data_, write.size_},
                           frame ? *frame : detail::PreparedFrame{},
                           {}});
  write.held_ = true;
}

void ConnectionCore::hold_stream(Connection::Write& write) {
  extras().held.push_back(
      {&write, ConnectionExtras::Held::Kind::stream, Opcode::continuation, {}, {}, {}});
  write.held_ = true;
}

// A message is taken when it is written; a stream has not begun before its first bytes are.
void ConnectionCore::cancel_held(Connection::Write& write) noexcept {
  using Kind = ConnectionExtras::Held::Kind;
  auto& all = extras_->held;
  const auto held =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.writer == &write; });
  if (held->kind == Kind::stream) {
    all.erase(held);
    return;
  }
  if (held->kind == Kind::message) held->copy.assign(held->payload.data(), held->payload.size());
  held->writer = nullptr;
}

void ConnectionCore::end_streaming_out() noexcept {
  if (!extras_) {
    streaming_out_ = StreamingOut::no;
    return;
  }
  // Not from inside of whoever writes; and until then nobody overtakes those who waited.
  streaming_out_ = StreamingOut::handing_over;
  post_admission();
}

void ConnectionCore::post_admission() noexcept {
  loop_.post([self = CoreReference{*this}] { self->admit_held(); });
}

void ConnectionCore::admit_held() noexcept {
  using Kind = ConnectionExtras::Held::Kind;
  auto& all = extras_->held;
  // Whoever writes again meanwhile comes behind these, and behind others of the loop.
  for (auto count = all.size(); count > 0 && !all.empty(); --count) {
    if (!is_open() || streaming_out_ != StreamingOut::handing_over) return;
    auto held = std::move(all.front());
    all.erase(all.begin());
    auto* const writer = held.writer;
    if (writer) writer->held_ = false;
    bool waits = false;
    if (held.kind == Kind::stream) {
      waits = static_cast<WriteStream::Write*>(writer)->put();
    } else {
      if (!writer && held.kind == Kind::message) held.payload = held.copy;
      waits = held.kind == Kind::prepared ? write_prepared(held.frame, writer)
                                          : write_frame(held.opcode, true, held.payload, writer);
      if (writer) writer->taken_ = !output_.failed();
    }
    if (writer && !waits) writer->resumption_.resume();
  }
  if (!is_open() || streaming_out_ != StreamingOut::handing_over) return;
  if (all.empty()) {
    streaming_out_ = StreamingOut::no;
  } else {
    post_admission();
  }
  deliver_outboxes();
}

void ConnectionCore::dismiss_held() noexcept {
  auto& all = extras_->held;
  while (!all.empty()) {
    auto* const writer = all.front().writer;
    all.erase(all.begin());
    if (!writer) continue;
    writer->held_ = false;
    writer->resumption_.resume();
  }
}

}  // namespace hotline::websocket
