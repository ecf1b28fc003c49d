#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <hotline/protocol/body_buffer.h>
#include <hotline/protocol/opcode.h>

namespace hotline::protocol {

/// A message kept beyond the next read: owns its bytes, is bound to no connection, and may go to
/// another thread. Move-only.
class KeptMessage {
 public:
  KeptMessage() noexcept = default;
  KeptMessage(Opcode opcode, BodyBuffer body) noexcept : body_{std::move(body)}, opcode_{opcode} {}

  [[nodiscard]] bool is_text() const noexcept { return opcode_ == Opcode::text; }
  [[nodiscard]] bool is_binary() const noexcept { return opcode_ == Opcode::binary; }
  /// The bytes as characters, whichever kind it is.
  [[nodiscard]] std::string_view text() const noexcept { return {body_.data(), body_.size()}; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return std::as_bytes(body_.span());
  }
  [[nodiscard]] std::span<char> writable() noexcept { return body_.span(); }
  [[nodiscard]] std::size_t size() const noexcept { return body_.size(); }
  [[nodiscard]] bool empty() const noexcept { return body_.empty(); }

 private:
  BodyBuffer body_;
  Opcode opcode_ = Opcode::binary;
};

/// A received message: a view into its connection's receive block or, where it did not come in one
/// piece, the owner of a buffer. Move-only.
///
/// It is valid until the next read on its connection, or the connection's end, whichever is first;
/// assume this of an owner too. keep() is for those who need the bytes longer. The bytes are the
/// holder's to write (writable()).
class Message {
 public:
  /// An empty binary message.
  Message() noexcept = default;
  /// A view.
  Message(Opcode opcode, std::span<char> bytes) noexcept
      : data_{bytes.data()}, size_{bytes.size()}, kind_{kind_of(opcode)} {}
  /// Says that a text is known to be UTF-8: it is not checked again when it is sent.
  struct Checked {};
  Message(Opcode opcode, std::span<char> bytes, Checked) noexcept
      : data_{bytes.data()}, size_{bytes.size()}, kind_{kind_of(opcode, checked_bit)} {}
  Message(Opcode opcode, BodyBuffer body, Checked) noexcept : Message{opcode, std::move(body)} {
    kind_ |= checked_bit;
  }
  /// An owner.
  Message(Opcode opcode, BodyBuffer body) noexcept : data_{body.data()}, kind_{kind_of(opcode)} {
    size_ = body.size();
    body_ = std::move(body);
  }

  Message(Message&& other) noexcept
      : data_{std::exchange(other.data_, nullptr)},
        body_{std::move(other.body_)},
        size_{std::exchange(other.size_, 0)},
        kind_{other.kind_} {}
  Message& operator=(Message&& other) noexcept {
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    body_ = std::move(other.body_);
    kind_ = other.kind_;
    return *this;
  }
  ~Message() = default;

  [[nodiscard]] Opcode opcode() const noexcept { return static_cast<Opcode>(kind_ & ~checked_bit); }
  [[nodiscard]] bool is_text() const noexcept { return opcode() == Opcode::text; }
  [[nodiscard]] bool is_binary() const noexcept { return opcode() == Opcode::binary; }
  /// The bytes as characters, whichever kind it is; of a text they are valid UTF-8.
  [[nodiscard]] std::string_view text() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return std::as_bytes(std::span<const char>{data_, size_});
  }
  [[nodiscard]] std::span<char> writable() noexcept {
    kind_ &= static_cast<std::uint8_t>(~checked_bit);
    return {data_, size_};
  }
  [[nodiscard]] const char* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Whether the bytes are its own, so that keep() copies nothing.
  [[nodiscard]] bool owns_bytes() const noexcept { return body_.data() != nullptr; }

  /// Whether its text was checked when it was received and nobody could write to it since: it need
  /// not be checked again to be sent.
  [[nodiscard]] bool is_checked() const noexcept { return (kind_ & checked_bit) != 0; }

  /// An owner of the bytes: a view is copied, an owner hands its buffer over. Leaves this message
  /// empty. The only thing in this layer to throw: std::bad_alloc, and then nothing is lost.
  [[nodiscard]] KeptMessage keep() &&;

 private:
  static constexpr std::uint8_t checked_bit = 0x80;
  static constexpr std::uint8_t kind_of(Opcode opcode, std::uint8_t bits = 0) noexcept {
    return static_cast<std::uint8_t>(static_cast<std::uint8_t>(opcode) | bits);
  }

  // Neighbours that are stored one by one and then copied as one word make the processor wait until
  // the stores have reached its cache: so the size does not stand behind the pointer, and the
  // opcode shares its byte.
  char* data_ = nullptr;
  BodyBuffer body_;
  std::size_t size_ = 0;
  std::uint8_t kind_ = kind_of(Opcode::binary);
};

}  // namespace hotline::protocol
