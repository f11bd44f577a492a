#pragma once

#include "common/net/byte_stream.hpp"
#include "common/net/raw_connection.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace device_streams {

/// Ciphertext on its way from a record layer to send; kept as large as it once was.
class Ciphertext {
 public:
    ReadableBytes bytes() const { return {room_.data(), used_}; }
    std::size_t size() const { return used_; }
    void clear() noexcept { used_ = 0; }
    void append(ReadableBytes more);
    /// Room for `size` bytes at the end, of which use() then says how many count.
    WritableBytes room(std::size_t size);
    void use(std::size_t size) noexcept { used_ += size; }

 private:
    std::vector<std::byte> room_;
    std::size_t used_ = 0;
};

/// The records of one TLS connection in both directions: plaintext on one side, on the other a raw connection, from
/// which it reads by itself, and ciphertext that its owner sends.
class RecordLayer {
 public:
    virtual ~RecordLayer() = default;

    struct Read {
        std::size_t size = 0;          ///< plaintext, at the front of `into`
        bool dry = false;              ///< nothing can be read before the raw connection has more
        bool ended = false;            ///< the peer has ended the stream
        bool reply_refused = false;    ///< it goes on once replies have been sent
        bool turn_over = false;        ///< much came that carried no plaintext: others first
        bool has_successor = false;    ///< see successor()
        std::exception_ptr failure{};  ///< StreamError: nothing more will come
    };
    /// Reads what is there. `into` is not empty. Replies go to `out`, at most `reply_room` bytes of them.
    virtual Read read(RawConnection& from, WritableBytes into, Ciphertext& out, std::size_t reply_room) = 0;
    /// Throws StreamError, behind which nothing can be sealed.
    virtual void seal(ReadableBytes plain, Ciphertext& out) = 0;
    /// close_notify. Nothing is sealed behind it.
    virtual void say_goodbye(Ciphertext& out) = 0;

    /// The layer that takes over, once all of `out` is on its way; this one then is only good for being destroyed.
    virtual std::unique_ptr<RecordLayer> successor() noexcept { return nullptr; }

    /// For logs: "TLSv1.3, record plane" or, with OpenSSL's reason, "TLSv1.2, OpenSSL".
    virtual std::string description() const = 0;
    virtual bool resumed() const = 0;
    /// Servers; given once.
    virtual std::optional<ClientCertificate> take_client_certificate() = 0;
    virtual std::optional<ChannelBinding> channel_binding() const = 0;

    RecordLayer(const RecordLayer&) = delete;
    RecordLayer& operator=(const RecordLayer&) = delete;

 protected:
    RecordLayer() = default;
};

}  // namespace device_streams
