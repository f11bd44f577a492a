#include "common/async/backoff.hpp"

#include <algorithm>
#include <memory>

namespace device_streams {

namespace {
std::function<double()> from_entropy() {
    auto engine = std::make_shared<std::mt19937_64>(std::random_device{}());
    return [engine] { return std::uniform_real_distribution<double>(0, 1)(*engine); };
}
}  // namespace

Backoff::Backoff(Limits limits, std::function<double()> random)
    : limits_(limits), random_(random ? std::move(random) : from_entropy()), ceiling_(limits.first) {
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
