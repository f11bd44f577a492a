#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace device_streams::hub {

/// One row of a table of attacks: what is sent, and all that the hub says to it, in the words of the table's test.
struct Attack {
    const char* name;
    std::string sent;  ///< {words in braces} are instructions to the test
    std::string told;
    const char* logged = "";  ///< what stands in the log then
};
inline std::string attack_name(const testing::TestParamInfo<Attack>& info) {
    return info.param.name;
}
inline void PrintTo(const Attack& attack, std::ostream* out) {
    *out << attack.name;
}

/// `text` many times.
inline std::string times(int count, const std::string& text) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}
/// The bytes of a literal, those that are 0 included.
template <std::size_t size>
std::string raw(const char (&literal)[size]) {
    return std::string(literal, size - 1);
}

}  // namespace device_streams::hub
