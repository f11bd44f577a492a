// ds-delay MILLISECONDS NAMESPACE NAMESPACE: a long wire between two network namespaces, named by their files. Each
// gets a TUN device `wire`; each packet of one comes out of the other so many milliseconds later, in order. Prints
// `ready` once both devices are there; they vanish with the program.
//
// Packets come as the kernel's TCP makes them, up to 64 KiB with what a network card would need to cut them up
// (virtio_net header), and go on unchanged: so the MTU stays usual, and a packet of 1500 bytes costs no call of its
// own.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <functional>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t longest_packet = 64 * 1024 + 128;
constexpr std::size_t room_each_way =
    64 * 1024 * 1024;  // 1.3 GB/s at 50 ms; further packets wait in the device, or are lost
constexpr int packets_each_turn = 64;

int checked(int result, const std::string& what) {
    if (result < 0) throw std::runtime_error(what + ": " + std::strerror(errno));
    return result;
}

void enter(const std::string& network) {
    const int fd = checked(open(network.c_str(), O_RDONLY | O_CLOEXEC), network);
    checked(setns(fd, CLONE_NEWNET), network);
    close(fd);
}

int make_device() {
    const int fd = checked(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun");
    ifreq request{};
    std::strcpy(request.ifr_name, "wire");
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    checked(ioctl(fd, TUNSETIFF, &request), "TUNSETIFF");
    checked(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6), "TUNSETOFFLOAD");
    return fd;
}

/// Packets under way in one direction, in one ring of bytes that holds each in one piece.
class Underway {
 public:
    bool empty() const { return packets_.empty(); }
    Clock::time_point next_due() const { return packets_.front().due; }

    /// Where the next packet may be put; nullptr while there is no room for the longest.
    char* room() {
        if (empty()) end_ = 0;
        if (empty() || end_ > packets_.front().at) {
            if (end_ + longest_packet <= ring_.size()) return &ring_[end_];
            end_ = 0;
        }
        return !empty() && end_ + longest_packet > packets_.front().at ? nullptr : &ring_[end_];
    }
    void put(std::size_t size, Clock::time_point due) {
        packets_.push_back({due, end_, size});
        end_ += size;
    }
    /// A packet that the device refuses is lost, as on any network.
    void send(int to) {
        const auto& packet = packets_.front();
        [[maybe_unused]] const auto sent = write(to, &ring_[packet.at], packet.size);
        packets_.pop_front();
    }

 private:
    struct Packet {
        Clock::time_point due;
        std::size_t at;
        std::size_t size;
    };
    std::vector<char> ring_ = std::vector<char>(room_each_way);
    std::deque<Packet> packets_;
    std::size_t end_ = 0;
};

/// Returns whether there is room for more.
bool take(Underway& underway, int from, Clock::duration delay) {
    for (int i = 0; i < packets_each_turn; ++i) {
        auto* const room = underway.room();
        if (room == nullptr) return false;
        const auto size = read(from, room, longest_packet);
        if (size < 0 && errno == EAGAIN) break;
        if (size <= 0) _exit(0);  // the device has gone with its namespace
        underway.put(static_cast<std::size_t>(size), Clock::now() + delay);
    }
    return true;
}

void wait(const Underway& underway, int from, bool has_room) {
    pollfd device{.fd = has_room ? from : -1, .events = POLLIN, .revents = 0};
    const auto left = underway.empty() ? std::chrono::hours(1) : underway.next_due() - Clock::now();
    const auto nanoseconds = std::max<std::int64_t>(0, std::chrono::nanoseconds(left).count());
    const timespec timeout{.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
    ppoll(&device, 1, &timeout, nullptr);
}

[[noreturn]] void pass_on(Underway& underway, int from, int to, Clock::duration delay) {
    for (;;) {
        const bool has_room = take(underway, from, delay);
        for (const auto now = Clock::now(); !underway.empty() && underway.next_due() <= now;) underway.send(to);
        wait(underway, from, has_room);
    }
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 4) throw std::runtime_error("usage: ds-delay MILLISECONDS NAMESPACE NAMESPACE");
    const auto delay = std::chrono::milliseconds(std::stoi(argv[1]));
    enter(argv[2]);
    const int near = make_device();
    enter(argv[3]);
    const int far = make_device();
    Underway there, back;
    std::thread other(pass_on, std::ref(back), far, near, delay);
    std::puts("ready");
    std::fflush(stdout);
    pass_on(there, near, far, delay);
} catch (const std::exception& error) {
    std::fprintf(stderr, "ds-delay: %s\n", error.what());
    return 1;
}
