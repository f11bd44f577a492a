#include "common/app/requests.hpp"

#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>

#include <array>
#include <csignal>

namespace device_streams {

namespace {

constexpr std::array heard{SIGTERM, SIGINT, SIGUSR2, SIGHUP};

Request meant_by(int signal) {
    switch (signal) {
        case SIGHUP:
            return Request::reload;
        case SIGUSR2:
            return Request::hand_over;
        default:
            return Request::stop;
    }
}

}  // namespace

struct Requests::Source {
    explicit Source(const asio::any_io_executor& executor) : signals(executor) {
        for (const int signal : heard) signals.add(signal);
    }
    asio::signal_set signals;
};

Requests::Requests(const asio::any_io_executor& executor) : source_(std::make_unique<Source>(executor)) {
}

Requests::~Requests() = default;

asio::awaitable<Request> Requests::next() {
    co_return meant_by(co_await source_->signals.async_wait(asio::use_awaitable));
}

struct UnheardRequests::Before {
    sigset_t mask{};
};

UnheardRequests::UnheardRequests() : before_(std::make_unique<Before>()) {
    sigset_t held{};
    sigemptyset(&held);
    for (const int signal : heard) sigaddset(&held, signal);
    static_cast<void>(::pthread_sigmask(SIG_BLOCK, &held, &before_->mask));
}

UnheardRequests::~UnheardRequests() {
    for (const int signal : heard) static_cast<void>(std::signal(signal, SIG_IGN));
    static_cast<void>(::pthread_sigmask(SIG_SETMASK, &before_->mask, nullptr));
}

}  // namespace device_streams
