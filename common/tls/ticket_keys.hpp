#pragma once

#include <array>
#include <chrono>
#include <mutex>
#include <optional>

struct ssl_ctx_st;

namespace device_streams {

/// The keys that a server encrypts session tickets with. Each makes tickets for two hours and reads them for two more,
/// so that one that is stolen opens no old conversation (TLS 1.2 has no other secret for a resumed session). Any
/// thread.
class TicketKeys {
 public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr auto life = std::chrono::hours(2);
    using Name = std::array<unsigned char, 16>;
    struct Key {
        Name name;
        std::array<unsigned char, 32> cipher;  ///< AES-256
        std::array<unsigned char, 32> mac;     ///< HMAC with SHA-256
    };
    TicketKeys() = default;
    TicketKeys(const TicketKeys&) = delete;
    TicketKeys& operator=(const TicketKeys&) = delete;
    ~TicketKeys();

    /// What new tickets are made with.
    Key current(Time now);
    /// nullopt: it is none of ours, or too old.
    std::optional<Key> find(const Name& name, Time now);

    /// From now on the context's tickets are made with these, which outlive it.
    void serve(ssl_ctx_st* context);

 private:
    void renew(Time now);

    std::mutex mutex_;  // once per handshake
    std::optional<Key> current_, previous_;
    Time since_{}, previous_until_{};
};

}  // namespace device_streams
