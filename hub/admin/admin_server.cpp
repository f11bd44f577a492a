#include "hub/admin/admin_server.hpp"

#include "common/async/join.hpp"
#include "common/net/socket_stream.hpp"
#include "hub/admin/admin_session.hpp"

namespace device_streams::hub {

namespace {

// Requests take milliseconds; a client that has not sent one yet is not waited for.
constexpr auto goodbye = std::chrono::seconds(1);

Endpoint endpoint_of(const std::string& socket_path) {
    auto endpoint = parse_endpoint("unix:" + socket_path);
    if (!endpoint)
        throw Failure(Errc::listen_failed,
                      "unix:" + socket_path + ": a socket's path has at most 107 bytes; set admin_socket");
    return *endpoint;
}

TaskSet::OnFailure warning_to(const Log& log) {
    return [log](std::exception_ptr failure) { log.warning("admin: " + explain(failure)); };
}

}  // namespace

AdminServer::AdminServer(asio::any_io_executor executor, const std::string& socket_path, AdminCommands commands,
                         Clock& clock, Log log)
    : commands_(std::move(commands)),
      clock_(clock),
      log_(std::move(log)),
      accepting_(executor, warning_to(log_)),
      sessions_(executor, warning_to(log_)),
      strand_(accepting_.make_strand()),
      path_(endpoint_of(socket_path).path),
      listener_(strand_, endpoint_of(path_.birthplace())) {
    path_.take();
}

AdminServer::~AdminServer() {
    path_.leave();
}

void AdminServer::start() {
    accepting_.spawn(strand_, accept_all());
}

asio::awaitable<void> AdminServer::stop() {
    accepting_.cancel_all();
    co_await accepting_.until_empty();
    const bool over = co_await sessions_.until_empty_within(goodbye, clock_);
    if (!over) sessions_.cancel_all();
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
        path_.leave();
        listener_.close();
        throw;
    }
}

asio::awaitable<void> AdminServer::serve(Socket socket) {
    SocketStream stream(std::move(socket));
    co_await with_timeout(answer_admin_request(stream, commands_), request_timeout, clock_);
}

}  // namespace device_streams::hub
