#pragma once

#include "common/tls/record_layer.hpp"
#include "common/tls/tls_records.hpp"

#include <string>

namespace device_streams {

/// What is known of a connection from its handshake.
struct HandshakeFacts {
    bool resumed = false;
    std::optional<ClientCertificate> client_certificate;
    std::optional<ChannelBinding> channel_binding;
};

/// Our own record layer, for TLS 1.3 connections whose handshake OpenSSL has made. 0.5 KiB for a connection that is
/// idle; at most a record more, 16 KiB, for one whose reader stops in the middle.
class RecordPlane final : public RecordLayer {
 public:
    RecordPlane(RecordReader reader, RecordWriter writer, HandshakeFacts facts);

    Read read(RawConnection& from, WritableBytes into, Ciphertext& out, std::size_t reply_room) override;
    void seal(ReadableBytes plain, Ciphertext& out) override;
    void say_goodbye(Ciphertext& out) override;
    std::string description() const override { return "TLSv1.3, record plane"; }
    bool resumed() const override { return facts_.resumed; }
    std::optional<ClientCertificate> take_client_certificate() override;
    std::optional<ChannelBinding> channel_binding() const override { return facts_.channel_binding; }

 private:
    void read_once(RawConnection& from, WritableBytes into, Read& done);
    std::size_t receive(RawConnection& from, WritableBytes room, Read& done);
    void answer(Ciphertext& out, std::size_t room);
    bool has_more() const;

    RecordReader reader_;
    RecordWriter writer_;
    HandshakeFacts facts_;
    std::vector<std::byte> kept_;  // ciphertext that was not used yet
};

}  // namespace device_streams
