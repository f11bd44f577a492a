#pragma once

#include "common/async/event.hpp"
#include "common/mqtt/codec.hpp"
#include "common/mqtt/packet_budget.hpp"
#include "common/net/byte_stream.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace device_streams::mqtt {

/// What a connection gives its packets to. Whatever a member throws leaves the connection's read().
class Receiver {
 public:
    virtual ~Receiver() = default;
    /// Bytes came, a whole packet or not.
    virtual void heard() {}
    /// False: no further packet is wanted.
    virtual bool take(const Packet& packet) = 0;
    /// The peer has ended its direction; nothing follows.
    virtual void ended() = 0;
};

/// Packets over a byte stream, both ways, for clients and servers alike: what both do below the rules of a session.
/// Used on one strand. Idle, it holds no buffers: a hub has tens of thousands of them.
class Connection {
 public:
    /// Bytes that wait for a peer that does not read, with those that are being written.
    static constexpr std::size_t outbox_limit = 256 * 1024;

    /// `stream` outlives it; nobody else reads or writes it meanwhile. `packet_limit` as for Decoder, in bytes.
    Connection(ByteStream& stream, const asio::any_io_executor& strand, std::size_t packet_limit)
        : stream_(stream), decoder_(packet_limit), strand_(strand) {}

    void set_packet_limit(std::size_t bytes) { decoder_.set_packet_limit(bytes); }

    /// From now on read() takes no more than this, in turns of few packets, and the peer's bytes wait meanwhile.
    /// `clock` outlives it.
    void limit(PacketRate rate, Clock& clock);

    /// The next packet, for a login that takes one; nullopt: the peer has ended its direction. Throws ProtocolError and
    /// StreamError, as all that read do.
    asio::awaitable<std::optional<Packet>> next();
    /// Gives packets to `receiver` until it wants no more, the peer has ended its direction, or needs_writer().
    asio::awaitable<void> read(Receiver& receiver);
    /// Gives what is there without waiting, until `most` bytes were read or the rate is used up. False where read()
    /// would return.
    bool take_in(Receiver& receiver, std::size_t most);

    /// Writes a short packet at once where that needs no waiting, else puts it behind those that wait to be written.
    /// False: there is no room for it, as the peer does not read.
    bool put(const Packet& packet);
    /// True when something waits to be written and nobody does.
    bool needs_writer() const { return !outbox_.empty() && !has_writer_; }
    /// Writes what was put; returns once the stream has taken all of it. Throws StreamError.
    asio::awaitable<void> flush();
    /// Writes what is put, now and later, until it is cancelled. Throws StreamError.
    asio::awaitable<void> write();

 private:
    enum class Given { all, some, last };
    // From the call that makes a writer to the end of its coroutine.
    struct NoWriter {
        void operator()(bool* has_writer) const { *has_writer = false; }
    };
    using Writer = std::unique_ptr<bool, NoWriter>;
    asio::awaitable<void> write_out(Writer writer, bool for_ever);
    Given take_turn(Receiver& receiver, std::size_t most_bytes, std::size_t most_packets);
    Given give(Receiver& receiver, std::size_t& most_packets);

    ByteStream& stream_;
    Decoder decoder_;
    std::optional<PacketBudget> budget_;
    Clock* clock_ = nullptr;                    // with a budget
    std::list<std::vector<std::byte>> outbox_;  // takes no memory while it is empty, as a deque would
    std::size_t outbox_bytes_ = 0;              // with those that are being written
    bool has_writer_ = false;
    const asio::any_io_executor strand_;
    std::unique_ptr<Event> filled_;  // for write()
};

}  // namespace device_streams::mqtt
