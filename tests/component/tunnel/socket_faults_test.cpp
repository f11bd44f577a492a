#include "tests/component/support/faulty_socket_calls.hpp"
#include "tests/component/support/tunnel_fixture.hpp"
#include "tests/support/pattern.hpp"

#include <algorithm>
#include <thread>

namespace device_streams::test {
namespace {

std::uint64_t seed_of_this_run() {
    const char* given = std::getenv("DS_SEED");
    return given != nullptr ? std::stoull(given) : 20'261'123;
}

struct SocketFaultsTest : TunnelTest {
    // Sends a pattern each way at the same time; what arrived at the service and at the client.
    struct Arrived {
        std::string at_service, at_client;
        std::string service_end, client_end;
    };
    Arrived exchange(std::size_t size, unsigned stream) {
        Arrived arrived;
        auto client = connect();
        std::thread up([&] { send_and_finish(client, pattern(size, stream)); });
        BlockingSocket at_service = service.accept();
        std::thread down([&] { send_and_finish(at_service, pattern(size, stream + 1)); });
        std::thread service_reader([&] { read_to_end(at_service, arrived.at_service, arrived.service_end); });
        read_to_end(client, arrived.at_client, arrived.client_end);
        for (auto* thread : {&up, &down, &service_reader}) thread->join();
        return arrived;
    }
    static void send_and_finish(BlockingSocket& socket, const std::string& text) {
        try {
            socket.send(text);
            socket.shut_down_writing();
        } catch (const std::system_error&) {
            // the stream was reset: the reader tells
        }
    }
    static void read_to_end(BlockingSocket& socket, std::string& into, std::string& how) {
        try {
            for (std::string part = "x"; !part.empty(); into += part) part = socket.receive_some();
            how = "end";
        } catch (const std::system_error& broken) {
            how = broken.code().value() == ECONNRESET ? "reset" : broken.what();
        }
    }
    const std::uint64_t seed = seed_of_this_run();
};

TEST_F(SocketFaultsTest, ShortTransfersAndFalseAlarmsChangeNoByte) {
    SCOPED_TRACE("DS_SEED=" + std::to_string(seed));
    const SocketFaults faults(seed,
                              {.short_transfer = 200, .interrupted = 200, .would_block = 200, .out_of_buffers = 100});
    for (unsigned stream = 0; stream < 4; ++stream) {
        const std::size_t size = 20'000;
        const auto arrived = exchange(size, 10 * stream);
        EXPECT_TRUE(arrived.at_service == pattern(size, 10 * stream));
        EXPECT_TRUE(arrived.at_client == pattern(size, 10 * stream + 1));
        EXPECT_EQ(arrived.service_end + arrived.client_end, "endend");
    }
    EXPECT_GT(SocketFaults::injected(), 100U);
}

TEST_F(SocketFaultsTest, ABrokenCallNeverLooksLikeACleanEnd) {
    SCOPED_TRACE("DS_SEED=" + std::to_string(seed));
    unsigned cut = 0;
    for (unsigned stream = 0; stream < 30; ++stream) {
        const std::size_t size = 300'000;
        auto client = connect();
        client.send("x");
        auto at_service = service.accept();
        ASSERT_EQ(at_service.receive(1), "x");
        std::string received, how;
        {
            const SocketFaults faults(seed + stream, {.reset = 20});
            std::thread sender([&] { send_and_finish(client, pattern(size, stream)); });
            read_to_end(at_service, received, how);
            sender.join();
        }
        EXPECT_TRUE(received == pattern(size, stream).substr(0, received.size())) << "stream " << stream;
        EXPECT_TRUE(how != "end" || received.size() == size) << "stream " << stream;
        cut += how == "reset" ? 1 : 0;
        ASSERT_TRUE(eventually([&] { return (*proxy)->streams() == 0 || how == "end"; }));
    }
    EXPECT_GT(cut, 0U);
    const auto arrived = exchange(100'000, 77);
    EXPECT_TRUE(arrived.at_client == pattern(100'000, 78)) << "the tunnel works again";
}

TEST_F(SocketFaultsTest, RunningOutOfDescriptorsPausesAcceptingAndRecovers) {
    SCOPED_TRACE("DS_SEED=" + std::to_string(seed));
    std::optional<BlockingSocket> client;
    {
        const SocketFaults faults(seed, {.out_of_handles = 1000});
        client.emplace(connect());  // stays in the backlog
        EXPECT_TRUE(eventually_logged("DS-902"));
        EXPECT_EQ((*proxy)->streams(), 0U);
    }
    client->send("x");
    EXPECT_EQ(service.accept().receive(1), "x");
}

}  // namespace
}  // namespace device_streams::test
