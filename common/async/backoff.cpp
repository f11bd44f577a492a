#include "common/async/backoff.hpp"

#include <algorithm>
#include <random>

namespace device_streams {

namespace {
// One engine for all: every stream has its backoff, and seeding costs more than most of them draw.
double from_entropy() {
    thread_local std::mt19937_64 engine(std::random_device{}());
    return std::uniform_real_distribution<double>(0, 1)(engine);
}
}  // namespace

Backoff::Backoff(Limits limits, std::function<double()> random)
    : limits_(limits), random_(random ? std::move(random) : from_entropy), ceiling_(limits.first) {
}

Clock::duration Backoff::next() {
    const auto wait = std::chrono::duration_cast<Clock::duration>(ceiling_ * random_());
    ceiling_ = std::min(ceiling_ * 2, limits_.longest);
    return wait;
}

void Backoff::lived(Clock::duration life) {
    if (life >= limits_.proof_of_life) ceiling_ = limits_.first;
}

}  // namespace device_streams
