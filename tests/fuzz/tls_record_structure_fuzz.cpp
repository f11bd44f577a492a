#include "tests/fuzz/record_reading.hpp"

using namespace device_streams;

// Input: role and suite, sizes of the pieces and of the rooms; then the script of a peer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const bool is_server = (data[0] & 1) != 0;
    const auto suite = static_cast<AeadSuite>((data[0] >> 1) % 3);
    const auto says = test::ScriptedPeer(test::test_keys(suite)).run({data + 3, size - 3});
    RecordReader reader(test::test_keys(suite), is_server);
    const auto told = test::RecordReading(reader, says.wire, data[1], data[2]).read();
    test::require_same("reader", told, test::RecordReference(says, is_server, {}).read());
    return 0;
}
