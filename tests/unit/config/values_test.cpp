#include "common/config/values.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;

template <typename T>
std::string wrong(const ValueKind<T>& kind, std::string_view text) {
    try {
        static_cast<void>(kind.parse({text, {}}));
    } catch (const BadValue& bad) {
        return bad.what();
    }
    return "accepted";
}

TEST(WholeNumber, TakesTheRangeWithItsEnds) {
    const auto kind = whole_number<unsigned>(3, 1024);
    EXPECT_EQ(kind.parse({"3", {}}), 3U);
    EXPECT_EQ(kind.parse({"1024", {}}), 1024U);
    EXPECT_EQ(wrong(kind, "2"), "\"2\" is out of range");
    EXPECT_EQ(wrong(kind, "1025"), "\"1025\" is out of range");
    EXPECT_EQ(kind.allowed, "3..1024");
}

TEST(WholeNumber, RefusesEverythingElse) {
    for (const auto* text : {"", " 3", "3 ", "+3", "-3", "0x10", "3.0", "1e3", "three", "99999999999999999999", "3\n"})
        EXPECT_NE(wrong(whole_number<int>(0, 1'000'000), text).find("is not a whole number"), std::string::npos)
            << text;
}

TEST(Port, IsNeverZero) {
    EXPECT_EQ(port().parse({"65535", {}}), 65535);
    EXPECT_EQ(wrong(port(), "0"), "\"0\" is out of range");
    EXPECT_EQ(wrong(port(), "65536"), "\"65536\" is out of range");
}

TEST(SegmentSize, IsWhatTcpHasUseFor) {
    const auto size = segment_size();
    EXPECT_EQ(size.parse({"536", {}}), 536);
    EXPECT_EQ(size.parse({"32767", {}}), 32767);
    for (const auto* text : {"535", "32768", "0", "-1", "auto"}) EXPECT_THROW(size.parse({text, {}}), BadValue) << text;
}

TEST(ByteCount, IsANumberWithOrWithoutUnit) {
    const auto kind = byte_count();
    EXPECT_EQ(kind.parse({"0", {}}), 0u);
    EXPECT_EQ(kind.parse({"512", {}}), 512u);
    EXPECT_EQ(kind.parse({"3kB", {}}), 3'000u);
    EXPECT_EQ(kind.parse({"300MB", {}}), 300'000'000u);
    EXPECT_EQ(kind.parse({"2GB", {}}), 2'000'000'000u);
    EXPECT_EQ(kind.parse({"9223372TB", {}}), 9'223'372'000'000'000'000u);
    for (const char* text : {"0", "512", "1001", "3kB", "300MB", "2GB", "5TB"})
        EXPECT_EQ(kind.print(kind.parse({text, {}})), text);
}

TEST(ByteCount, RefusesEverythingElse) {
    for (const char* text : {"", "MB", "3 MB", "-1", "1.5GB", "3mb", "3MiB", "3M"})
        EXPECT_NE(wrong(byte_count(), text).find(" is not a number of bytes"), std::string::npos) << text;
    EXPECT_EQ(wrong(byte_count(), "9223373TB"), "\"9223373TB\" is out of range");
}

TEST(Duration, HasAUnit) {
    const auto kind = duration<milliseconds>(0s, 24h);
    EXPECT_EQ(kind.parse({"500ms", {}}), 500ms);
    EXPECT_EQ(kind.parse({"30s", {}}), 30s);
    EXPECT_EQ(kind.parse({"5m", {}}), 5min);
    EXPECT_EQ(kind.parse({"2h", {}}), 2h);
    EXPECT_EQ(kind.parse({"0s", {}}), 0s);
}

TEST(Duration, RefusesEverythingElse) {
    const auto kind = duration<milliseconds>(0s, 24h);
    for (const auto* text : {"", "30", "s", "30 s", "1.5s", "-1s", "30S", "30sec", "1m30s", "99999999999999999999s"})
        EXPECT_NE(wrong(kind, text).find("is not a duration"), std::string::npos) << text;
    EXPECT_EQ(wrong(kind, "25h"), "\"25h\" is out of range");
}

TEST(Duration, TooLongToCountIsOutOfRange) {
    EXPECT_EQ(wrong(duration<milliseconds>(0s, 24h), "9223372036854775807h"),
              "\"9223372036854775807h\" is out of range");
}

TEST(Duration, OfSecondsTakesNoFraction) {
    const auto kind = duration<seconds>(5s, 1767s);
    EXPECT_EQ(kind.parse({"6000ms", {}}), 6s);
    EXPECT_EQ(wrong(kind, "6500ms"), "\"6500ms\" has a fraction of 1s");
}

TEST(Duration, PrintsTheLargestUnitWithoutFraction) {
    EXPECT_EQ(to_string(0ms), "0s");
    EXPECT_EQ(to_string(1500ms), "1500ms");
    EXPECT_EQ(to_string(90s), "90s");
    EXPECT_EQ(to_string(60s), "1m");
    EXPECT_EQ(to_string(24h), "24h");
}

TEST(Choice, KnowsItsWordsOnly) {
    const auto kind = choice<int>({{"human", 1}, {"journald", 2}});
    EXPECT_EQ(kind.parse({"journald", {}}), 2);
    EXPECT_EQ(kind.print(1), "human");
    EXPECT_EQ(kind.allowed, "human, journald");
    EXPECT_EQ(wrong(kind, "jurnald"), "\"jurnald\" is not known (did you mean \"journald\"?)");
    EXPECT_EQ(wrong(kind, "xml"), "\"xml\" is not known");
}

TEST(Boolean, IsTrueOrFalse) {
    EXPECT_TRUE(boolean().parse({"true", {}}));
    EXPECT_FALSE(boolean().parse({"false", {}}));
    EXPECT_EQ(wrong(boolean(), "yes"), "\"yes\" is not known");
}

TEST(Text, IsOneLineAndNotEmpty) {
    EXPECT_EQ(text().parse({"two words", {}}), "two words");
    EXPECT_EQ(wrong(text(), ""), "it is empty");
    EXPECT_EQ(wrong(text(), "a\nb"), "\"a\\nb\" is not possible");
    const auto short_text = text("3 characters", [](std::string_view value) { return value.size() == 3; });
    EXPECT_EQ(wrong(short_text, "ab"), "\"ab\" is not possible");
}

TEST(Path, StartsFromTheFoldersOfTheFile) {
    EXPECT_EQ(path().parse({"hub.pem", "/etc/hub"}), "/etc/hub/hub.pem");
    EXPECT_EQ(path().parse({"../x", "/etc/hub"}), "/etc/x");
    EXPECT_EQ(path().parse({"/abs", "/etc/hub"}), "/abs");
    EXPECT_EQ(path().parse({"hub.pem", ""}), "hub.pem");
}

TEST(Path, MayLieWhereTheServiceManagerPutsSecrets) {
    unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_EQ(path().parse({"$CREDENTIALS_DIRECTORY/key", "/etc/hub"}), "/etc/hub/$CREDENTIALS_DIRECTORY/key");
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
    EXPECT_EQ(path().parse({"$CREDENTIALS_DIRECTORY/key", "/etc/hub"}), "/run/credentials/x/key");
    EXPECT_EQ(path().parse({"x/$CREDENTIALS_DIRECTORY/key", "/etc"}), "/etc/x/$CREDENTIALS_DIRECTORY/key");
    EXPECT_EQ(path().parse({"$CREDENTIALS_DIRECTORY_2/key", "/etc"}), "/etc/$CREDENTIALS_DIRECTORY_2/key");
    unsetenv("CREDENTIALS_DIRECTORY");
}

TEST(EndpointValue, TakesAllForms) {
    const auto kind = endpoint(EndpointUse::connect);
    EXPECT_EQ(kind.parse({"[::1]:22", {}}).host, "::1");
    EXPECT_EQ(kind.parse({"unix:run/x.sock", "/srv"}).path, "/srv/run/x.sock");
    EXPECT_EQ(wrong(kind, "localhost"), "\"localhost\" is not an address with port");
    EXPECT_EQ(wrong(kind, "localhost:70000"), "\"localhost:70000\" is not an address with port");
}

TEST(EndpointValue, PortZeroIsForListeningOnly) {
    EXPECT_EQ(endpoint(EndpointUse::listen).parse({"127.0.0.1:0", {}}).port, 0);
    EXPECT_NE(wrong(endpoint(EndpointUse::connect), "127.0.0.1:0"), "accepted");
}

TEST(EndpointValue, UnixPathIsLimitedWithItsFolder) {
    const std::string folder = "/" + std::string(100, 'x');
    EXPECT_NE(wrong(endpoint(EndpointUse::listen), "unix:" + std::string(108, 'y')), "accepted");
    EXPECT_THROW(endpoint(EndpointUse::listen).parse({"unix:socket.name", folder}), BadValue);
}

TEST(SecretText, IsNeverPrinted) {
    const auto secret = secret_text().parse({"key", {}});
    EXPECT_EQ(secret.reveal(), "key");
    EXPECT_EQ(secret_text().print(secret), "");
}

}  // namespace
}  // namespace device_streams
