#pragma once

#include "common/tls/record_layer.hpp"
#include "common/tls/tls_handover.hpp"

#include <cstdint>
#include <string>

struct bio_st;

namespace device_streams {

/// A TLS connection in OpenSSL, with a BIO of our own: one recv and one send for several records, no copies in between.
/// It makes the handshake, and goes on as the record layer until the record plane takes over, or for good: TLS 1.2, a
/// suite that the plane does not know, records of a negotiated size, keys that were renewed before.
class OpensslSession final : public RecordLayer {
 public:
    /// Takes `connection` over. `may_hand_over`: its context tells secrets.
    OpensslSession(ssl_st* connection, bool is_server, bool may_hand_over);
    ~OpensslSession() override;

    enum class Step { done, wants_input, wants_output, failed };
    /// One step of the handshake. Behind it `out` is sent in any case, as there may be an alert in it.
    Step shake_hands(RawConnection& connection, Ciphertext& out);
    /// Of a step that failed, for people. Never empty.
    const std::string& failure() const { return failure_text_; }
    ssl_st* handle() const { return ssl_; }

    Read read(RawConnection& from, WritableBytes into, Ciphertext& out, std::size_t reply_room) override;
    void seal(ReadableBytes plain, Ciphertext& out) override;
    void say_goodbye(Ciphertext& out) override;
    std::unique_ptr<RecordLayer> successor() noexcept override { return std::move(successor_); }
    std::string description() const override;
    bool resumed() const override;
    std::optional<ClientCertificate> take_client_certificate() override;
    std::optional<ChannelBinding> channel_binding() const override;

 private:
    friend struct SessionBio;
    void end_handshake();
    bool prepare_successor();
    std::string describe_error(int result) const;

    // What the BIO serves just now.
    struct Call {
        RawConnection* from = nullptr;
        Ciphertext* out = nullptr;
        std::size_t most_output = SIZE_MAX;
        bool dry = false;  // the socket was found empty
        bool reply_refused = false;
        std::exception_ptr failure{};
    };

    ssl_st* ssl_;
    bool is_server_;
    bool may_hand_over_;  // not decided yet, or to be done
    bool shaken_ = false;
    TrafficSecrets secrets_;
    Counted counted_;
    Call call_;
    std::string failure_text_;
    const char* kept_for_ = nullptr;  // why it is never handed over
    std::unique_ptr<RecordLayer> successor_;
};

}  // namespace device_streams
