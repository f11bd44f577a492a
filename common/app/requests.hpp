#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <memory>

namespace device_streams {

/// What a running program is asked for from outside.
enum class Request {
    stop,       ///< SIGTERM, SIGINT
    hand_over,  ///< SIGUSR2: another process takes over
    reload,     ///< SIGHUP
};

/// Hears the requests while it lives; without it, each ends the process as the system has it.
class Requests {
 public:
    explicit Requests(const asio::any_io_executor& executor);
    ~Requests();
    Requests(const Requests&) = delete;
    Requests& operator=(const Requests&) = delete;

    /// The next request. One that comes while nobody waits is kept.
    asio::awaitable<Request> next();

 private:
    struct Source;
    std::unique_ptr<Source> source_;
};

/// Holds requests back, in this thread, and drops those that came meanwhile at its end; from then on they are ignored.
/// For the way out, on which nothing hears them any more: they would end the process with a code that says it failed.
/// A lookup that hangs keeps a thread of Asio's, which hears them still and so can be ended.
class UnheardRequests {
 public:
    UnheardRequests();
    ~UnheardRequests();
    UnheardRequests(const UnheardRequests&) = delete;
    UnheardRequests& operator=(const UnheardRequests&) = delete;

 private:
    struct Before;
    std::unique_ptr<Before> before_;
};

}  // namespace device_streams
