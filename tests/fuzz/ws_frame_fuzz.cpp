#include "common/ws/ws_stream.hpp"
#include "tests/fuzz/ws_reference.hpp"
#include "tests/unit/ws/fake_transport.hpp"

#include <cstdlib>

using namespace device_streams;

namespace {

// Reads until nothing is left; how it ended, in the reference's words.
ws::Meaning read(ws::WsStream& stream, const test::FakeTransport& transport, std::size_t room_size) {
    ws::Meaning meaning;
    std::vector<std::byte> room(room_size);
    try {
        while (meaning.end == "open") {
            const auto size = stream.try_read(room);
            if (size) meaning.payload += test::text_of(ReadableBytes(room).first(*size));
            if (size == std::size_t{0}) meaning.end = stream.ended() ? "ended" : "finished";
            if (transport.dry_reads > 0) break;
        }
    } catch (const StreamError& on_lost) {
        meaning.end = "failed " + std::to_string(static_cast<int>(on_lost.close_reason()));
    }
    return meaning;
}

std::string as_told(const std::string& end) {
    if (end == "violation") return "failed " + std::to_string(static_cast<int>(CloseReason::protocol_violation));
    if (!end.starts_with("close ")) return end;
    const auto close_reason = ws::reason_of_close_code(static_cast<std::uint16_t>(std::stoi(end.substr(6))));
    return close_reason == CloseReason::clean ? "ended" : "failed " + std::to_string(static_cast<int>(close_reason));
}

}  // namespace

// Input: flags, buffer size, size of the pieces, early bytes; then what the peer sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const ws::WsOptions options{.role = data[0] & 1 ? ws::Role::client : ws::Role::server,
                                .half_close = (data[0] & 2) != 0};
    const std::string_view input(reinterpret_cast<const char*>(data) + 4, size - 4);
    const auto early = input.substr(0, data[3]);
    asio::io_context io;
    auto* transport = new test::FakeTransport(io);
    transport->accept_writes((data[0] & 4) != 0);
    for (auto rest = input.substr(early.size()); !rest.empty();
         rest.remove_prefix(std::min(rest.size(), data[2] + 1UL)))
        transport->push(rest.substr(0, data[2] + 1UL));
    ws::WsStream stream(std::unique_ptr<Transport>(transport), options, test::bytes_of(early));
    const auto told = read(stream, *transport, data[1] + 1UL);
    const auto meant = ws::ReferenceDecoder(input, options.role, options.half_close).decode();
    // A clean Close right behind the end of the direction may be told together with it.
    const bool same_end = told.end == as_told(meant.end) || (meant.end == "finished" && told.end == "ended");
    if (told.payload != meant.payload || !same_end) std::abort();
    return 0;
}
