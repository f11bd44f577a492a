#include "hub/admin/admin_server.hpp"

#include "common/async/join.hpp"
#include "common/net/socket_stream.hpp"
#include "hub/admin/admin_session.hpp"

namespace device_streams::hub {

namespace {

Endpoint endpoint_of(const std::string& socket_path) {
    auto endpoint = parse_endpoint("unix:" + socket_path);
    if (!endpoint)
        throw Failure(Errc::listen_failed,
                      "unix:" + socket_path + ": a socket's path has at most 107 bytes; set admin_socket");
    return *endpoint;
}

}  // namespace

AdminServer::AdminServer(asio::any_io_executor executor, const std::string& socket_path, AdminCommands commands,
                         Clock& clock, Log log)
    : commands_(std::move(commands)),
      clock_(clock),
      log_(std::move(log)),
      accepting_(executor),
      sessions_(executor),
      strand_(accepting_.make_strand()),
      listener_(strand_, endpoint_of(socket_path)) {
    accepting_.on_failure =
        sessions_.on_failure = [log = log_](std::exception_ptr failure) { log.warning("admin: " + explain(failure)); };
}

AdminServer::~AdminServer() = default;

void AdminServer::start() {
    accepting_.spawn(strand_, accept_all());
}

void AdminServer::stop_accepting() {
    accepting_.cancel_all();
}

asio::awaitable<void> AdminServer::until_closed() {
    co_await accepting_.until_empty();
}

void AdminServer::cancel() {
    accepting_.cancel_all();
    sessions_.cancel_all();
}

asio::awaitable<void> AdminServer::until_done() {
    co_await accepting_.until_empty();
    co_await sessions_.until_empty();
}

asio::awaitable<void> AdminServer::accept_all() {
    try {
        for (;;) {
            auto strand = sessions_.make_strand();
            auto socket = co_await listener_.accept(strand, clock_, log_);
            sessions_.spawn(strand, serve(std::move(socket)));
        }
    } catch (...) {
        listener_.close();
        throw;
    }
}

asio::awaitable<void> AdminServer::serve(Socket socket) {
    SocketStream stream(std::move(socket));
    co_await with_timeout(answer_admin_request(stream, commands_), request_timeout, clock_);
}

}  // namespace device_streams::hub
