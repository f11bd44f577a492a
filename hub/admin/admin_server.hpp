#pragma once

#include "common/app/socket_path.hpp"
#include "common/async/task_set.hpp"
#include "common/base/log.hpp"
#include "common/net/listener.hpp"
#include "hub/admin/admin_commands.hpp"

#include <chrono>
#include <string>

namespace device_streams::hub {

/// Serves the command line over a Unix socket of mode 0600: a user that may open it may do everything
/// (admin_session.hpp has the protocol).
class AdminServer {
 public:
    static constexpr auto request_timeout = std::chrono::seconds(10);  ///< connection until the answer is out

    /// Listens on `socket_path` at once, also in place of a hub that has yielded it; throws Failure: listen_failed,
    /// state_unusable. `clock` outlives it.
    AdminServer(asio::any_io_executor executor, const std::string& socket_path, AdminCommands commands, Clock& clock,
                Log log);
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    /// Begins to accept.
    void start();
    /// From now on the next hub may take the path; until it does, this one serves on.
    void yield() { path_.yield(); }
    /// Closes the listener and removes the socket file, and returns when nothing runs any more; requests under way have
    /// a moment to end. To be awaited before the server is dropped.
    asio::awaitable<void> stop();

 private:
    asio::awaitable<void> accept_all();
    asio::awaitable<void> serve(Socket socket);

    AdminCommands commands_;
    Clock& clock_;
    Log log_;
    TaskSet accepting_;
    TaskSet sessions_;
    Strand strand_;
    SocketPath path_;
    Listener listener_;
};

}  // namespace device_streams::hub
