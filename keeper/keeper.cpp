#include "keeper/keeper.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace device_streams::keeper {

namespace {

constexpr int exit_failure = 1, exit_cannot_run = 127;  // the latter as shells have it
constexpr auto notify_socket = "NOTIFY_SOCKET";

int fail(const char* what) {
    std::fprintf(stderr, "service-keeper: %s: %s\n", what, std::strerror(errno));
    return exit_failure;
}

/// An address as NOTIFY_SOCKET has it: a path, or a name behind @.
struct Address {
    sockaddr_un name{};
    socklen_t size = 0;
};

std::optional<Address> address_of(std::string_view text) {
    Address address;
    address.name.sun_family = AF_UNIX;
    if (text.size() < 2 || text.size() >= sizeof address.name.sun_path) return std::nullopt;
    text.copy(address.name.sun_path, text.size());
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
    if (text.front() == '@') address.name.sun_path[0] = '\0';
    return address;
}

/// Where the program tells what it would tell systemd. The kernel chooses the name.
struct Inbox {
    int fd = -1;
    std::string name;
};

std::optional<Inbox> open_inbox() {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const int yes = 1;
    socklen_t size = sizeof address;
    if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0 ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return std::nullopt;
    const std::string_view chosen(address.sun_path, size - offsetof(sockaddr_un, sun_path));
    return Inbox{fd, "@" + std::string(chosen.substr(1))};
}

struct Message {
    std::string text;
    pid_t sender = 0;
};

std::optional<Message> receive(int inbox) {
    std::array<char, 4096> text{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
    iovec part{text.data(), text.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const auto size = ::recvmsg(inbox, &header, MSG_CMSG_CLOEXEC);
    if (size < 0) return std::nullopt;
    Message message{std::string(text.data(), static_cast<std::size_t>(size)), 0};
    const auto* extra = CMSG_FIRSTHDR(&header);
    if (extra != nullptr && extra->cmsg_level == SOL_SOCKET && extra->cmsg_type == SCM_CREDENTIALS) {
        ucred sender{};
        std::memcpy(&sender, CMSG_DATA(extra), sizeof sender);
        message.sender = sender.pid;
    }
    return message;
}

bool says_handed_over(const std::string& text) {
    return ("\n" + text + "\n").find("\nHANDED_OVER=1\n") != std::string::npos;
}

/// What systemd addressed to this process is meant for the program.
void address_to_this_process(const char* variable) {
    if (std::getenv(variable) != nullptr) ::setenv(variable, std::to_string(::getpid()).c_str(), 1);
}

[[noreturn]] void become(char** command, const Inbox& inbox, const sigset_t& signals_before) {
    ::setenv(notify_socket, inbox.name.c_str(), 1);
    address_to_this_process("LISTEN_PID");
    address_to_this_process("WATCHDOG_PID");
    ::sigprocmask(SIG_SETMASK, &signals_before, nullptr);
    ::execvp(command[0], command);
    fail(command[0]);
    std::_Exit(exit_cannot_run);
}

/// Ends as the program did, so that systemd sees what it would have seen.
int end_like(int status) {
    if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
    const int signal = WTERMSIG(status);
    std::signal(signal, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
    ::raise(signal);
    return 128 + signal;
}

class Keeper {
 public:
    Keeper(pid_t program, int signals, int inbox, Address manager)
        : program_(program), signals_(signals), inbox_(inbox), manager_(manager) {}

    int run() {
        std::array<pollfd, 2> sources{pollfd{inbox_, POLLIN, 0}, pollfd{signals_, POLLIN, 0}};
        for (;;) {
            if (::poll(sources.data(), sources.size(), -1) < 0 && errno != EINTR) return fail("poll");
            while (const auto message = receive(inbox_)) {
                if (message->sender != program_) continue;
                if (says_handed_over(message->text)) return 0;
                pass_on(message->text);
            }
            if (const auto exit_code = handle_signals()) return *exit_code;
        }
    }

 private:
    // A service manager that cannot be told is no reason to stop working.
    void pass_on(const std::string& text) const {
        static_cast<void>(::sendto(inbox_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                   reinterpret_cast<const sockaddr*>(&manager_.name), manager_.size));
    }

    std::optional<int> handle_signals() const {
        signalfd_siginfo signal{};
        while (::read(signals_, &signal, sizeof signal) == sizeof signal) {
            if (signal.ssi_signo != SIGCHLD) {
                ::kill(program_, static_cast<int>(signal.ssi_signo));
                continue;
            }
            int status = 0;
            if (::waitpid(program_, &status, WNOHANG) == program_) return end_like(status);
        }
        return std::nullopt;
    }

    const pid_t program_;
    const int signals_, inbox_;
    const Address manager_;
};

sigset_t passed_on() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGABRT, SIGCHLD})
        sigaddset(&signals, signal);
    return signals;
}

}  // namespace

int keep(char** command) {
    const char* given = std::getenv(notify_socket);
    const auto manager = address_of(given != nullptr ? given : "");
    if (!manager) {
        ::execvp(command[0], command);
        fail(command[0]);
        return exit_cannot_run;
    }
    const auto inbox = open_inbox();
    if (!inbox) return fail("cannot open a socket for notifications");
    const auto wanted = passed_on();
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, &wanted, &before);
    const int signals = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) return fail("signalfd");
    const pid_t program = ::fork();
    if (program < 0) return fail("fork");
    if (program == 0) become(command, *inbox, before);
    return Keeper(program, signals, inbox->fd, *manager).run();
}

}  // namespace device_streams::keeper
