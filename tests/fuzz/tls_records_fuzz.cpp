#include "tests/fuzz/record_reading.hpp"

using namespace device_streams;

// Input: role and suite, sizes of the pieces and of the rooms; then what the peer sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const bool is_server = (data[0] & 1) != 0;
    const auto suite = static_cast<AeadSuite>((data[0] >> 1) % 3);
    RecordReader reader(test::test_keys(suite), is_server);
    const auto wire = std::as_bytes(std::span(data, size).subspan(3));
    test::RecordReading(reader, wire, data[1], data[2]).read();
    return 0;
}
