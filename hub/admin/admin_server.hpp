#pragma once

#include "common/async/task_set.hpp"
#include "common/base/log.hpp"
#include "common/net/listener.hpp"
#include "hub/admin/admin_commands.hpp"

#include <chrono>
#include <string>

namespace device_streams::hub {

/// Serves the command line over a Unix socket of mode 0600: who may open it may do everything (admin_session.hpp has
/// the protocol).
class AdminServer {
 public:
    static constexpr auto request_timeout = std::chrono::seconds(10);  ///< connection until the answer is out

    /// Listens on `socket_path` at once; throws Failure(listen_failed). `clock` outlives it.
    AdminServer(asio::any_io_executor executor, const std::string& socket_path, AdminCommands commands, Clock& clock,
                Log log);
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    /// Begins to accept.
    void start();
    /// Closes the listener and removes the socket file, soon; requests under way go on.
    void stop_accepting();
    /// Returns when the listener is closed.
    asio::awaitable<void> until_closed();
    void cancel();
    /// Returns when nothing runs any more. To be awaited before the server is dropped.
    asio::awaitable<void> until_done();

 private:
    asio::awaitable<void> accept_all();
    asio::awaitable<void> serve(Socket socket);

    AdminCommands commands_;
    Clock& clock_;
    Log log_;
    TaskSet accepting_;
    TaskSet sessions_;
    Strand strand_;
    Listener listener_;
};

}  // namespace device_streams::hub
