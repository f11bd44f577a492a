#include "common/config/secret_files.hpp"

#include "tests/support/scratch_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace device_streams {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto plain = "HostName=h;SharedAccessKeyName=p;SharedAccessKey=c2VjcmV0";

std::string utf16(std::string_view text, bool big_endian) {
    std::string bytes = big_endian ? "\xFE\xFF" : "\xFF\xFE";
    for (const char letter : text) bytes += big_endian ? std::string{'\0', letter} : std::string{letter, '\0'};
    return bytes;
}

struct SecretFilesTest : testing::Test {
    std::string read(const std::string& text) {
        const auto secret = read_connection_string("key", folder.write("x.cs", text), reading);
        EXPECT_EQ(secret.has_value(), faults.empty());
        EXPECT_EQ(faults.text().find("c2VjcmV0"), std::string::npos) << faults.text();
        return secret ? std::string(secret->reveal()) : faults.text();
    }

    test::ScratchFolder folder;
    Faults faults;
    ParseContext reading{"x.yaml", folder / "", faults};
};

TEST_F(SecretFilesTest, ConnectionStringsAreTakenAsEditorsAndShellsWriteThem) {
    const std::string text = plain;
    for (const auto& written : {text, text + "\r\n", "\"" + text + "\"\n", "'" + text + "'", "\n  " + text + "  \n\n",
                                "# pump 17\n" + text + "\n#end", "\xEF\xBB\xBF" + text, utf16(text + "\r\n", false),
                                utf16("\"" + text + "\"", true)})
        EXPECT_EQ(read(written), text) << written;
}

TEST_F(SecretFilesTest, WhatIsNoConnectionStringIsNamed) {
    EXPECT_THAT(read(""), HasSubstr("holds 0 lines"));
    EXPECT_THAT(read("# only a comment\n"), HasSubstr("holds 0 lines"));
}

TEST_F(SecretFilesTest, TwoAreToldFromOne) {
    EXPECT_THAT(read(std::string(plain) + "\n" + plain), HasSubstr("holds 2 lines beside comments, allowed: one"));
}

TEST_F(SecretFilesTest, JsonIsNamed) {
    EXPECT_THAT(read(std::string("{\n  \"connectionString\": \"") + plain + "\"\n}\n"), HasSubstr("-o tsv"));
}

TEST_F(SecretFilesTest, OtherEncodingsAreNamed) {
    EXPECT_THAT(read(utf16(plain, false) + "x"), HasSubstr("not plain text"));
    EXPECT_THAT(read(utf16(plain, false).substr(2)), HasSubstr("not plain text"));
}

TEST_F(SecretFilesTest, LettersThatNoSecretHasAreNotCut) {
    EXPECT_THAT(read(std::string("\xFF\xFE\x41\x01", 4)), HasSubstr("not plain text"));
}

TEST_F(SecretFilesTest, CredentialsStayAsTheyAre) {
    const auto file = folder.write("proxy", "\"anna:pass#word\"\n");
    EXPECT_EQ(read_secret_line("key", file, "user:password", reading)->reveal(), "\"anna:pass#word\"");
}

struct WarningTest : SecretFilesTest {
    std::string warned_of(fs::perms mode) {
        fs::permissions(folder / "", fs::perms::owner_all | fs::perms::others_exec);
        const auto file = folder.write("x.cs", plain);
        fs::permissions(file, mode);
        ParseContext fresh("x.yaml", folder / "", faults);
        EXPECT_TRUE(read_connection_string("key", file, fresh));
        return fresh.warnings().text();
    }
    static constexpr auto own = fs::perms::owner_read | fs::perms::owner_write;
};

TEST_F(WarningTest, WarnsOfWhatEveryUserCanRead) {
    EXPECT_EQ(warned_of(own | fs::perms::group_read | fs::perms::others_read),
              "x.yaml key: every user of this machine can read " + (folder / "x.cs") +
                  ", which holds a secret; chmod o= " + (folder / "x.cs"));
}

TEST_F(WarningTest, AGroupMayReadIt) {
    EXPECT_THAT(warned_of(own | fs::perms::group_read), IsEmpty());
}

TEST_F(WarningTest, AFolderMayHideIt) {
    const auto file = folder.write("hidden.cs", plain);
    fs::permissions(file, own | fs::perms::others_read);
    fs::permissions(folder / "", fs::perms::owner_all);
    warn_if_others_can_read("key", file, reading);
    EXPECT_TRUE(reading.warnings().empty());
}

TEST_F(WarningTest, NothingIsSaidOfWhatIsNotThere) {
    warn_if_others_can_read("key", folder / "gone", reading);
    EXPECT_TRUE(reading.warnings().empty());
}

}  // namespace
}  // namespace device_streams
