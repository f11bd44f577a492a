#include "common/app/reconfiguration.hpp"

#include "common/base/error.hpp"
#include "common/base/read_file.hpp"
#include "common/config/shared_options.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using Words = std::vector<std::string>;

struct Config {
    std::string name;
    std::string secret_file;
    std::string secret;  // what the file holds
    RunSettings run;
    LogSettings log;
};

OptionTable<Config> make_table() {
    OptionTable<Config> table("tester", "Tests.");
    table.add({.key = "name", .help = "A name."}, text(), &Config::name);
    table.add({.key = "secret_file", .help = "A file.", .names_file = true}, path(), &Config::secret_file);
    add_run_options(table);
    add_log_options(table);
    table.rule({"secret_file"}, [](Config& config, ParseContext& reading) {
        require_readable("secret_file", config.secret_file, reading);
        config.secret = read_file(config.secret_file);
    });
    return table;
}

class ReconfigurationTest : public testing::Test {
 protected:
    ReconfigurationTest() {
        folder.write("secret", "one");
        write("name: a");
        ConfigSources sources;
        sources.file = folder / "tester.yaml";
        sources = read_again(sources);
        LoadedConfig<Config> loaded{.config = table.load(sources), .sources = sources};
        reconfiguration.emplace(table, std::move(loaded), log);
        reconfiguration->begin();
        reconfiguration->apply_with([this](const Config& fresh) {
            if (!refusal.empty()) throw Failure(Errc::certificate_unusable, refusal);
            used = fresh;
        });
    }
    void write(const std::string& lines_of_yaml) {
        folder.write("tester.yaml", lines_of_yaml + "\nsecret_file: secret\n");
    }
    void renew_secret(const std::string& text) {
        std::filesystem::rename(folder.write("secret.new", text), folder / "secret");
    }
    std::optional<Changes> renew_when_settled() {
        EXPECT_FALSE(reconfiguration->renew());
        return reconfiguration->renew();
    }

    test::ScratchFolder folder;
    const Log log{std::make_shared<test::CapturedLog>()};
    const OptionTable<Config> table = make_table();
    std::optional<Reconfiguration<Config>> reconfiguration;
    std::string refusal;
    std::optional<Config> used;
};

TEST_F(ReconfigurationTest, ReloadTakesTheFileAndNamesWhatChanged) {
    write("name: b");
    EXPECT_EQ(reconfiguration->reload().used, Words{"name"});
    EXPECT_EQ(used.value().name, "b");
    EXPECT_EQ(reconfiguration->reload().used, Words{});
}

TEST_F(ReconfigurationTest, ReloadNamesFilesWithNewContent) {
    renew_secret("two");
    EXPECT_EQ(reconfiguration->reload().used, Words{folder / "secret"});
    EXPECT_EQ(used.value().secret, "two");
}

TEST_F(ReconfigurationTest, FaultyFileIsRefusedWithItsPlace) {
    write("nam: b");
    try {
        static_cast<void>(reconfiguration->reload());
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::config_invalid);
        EXPECT_EQ(failure.detail().find(folder / "tester.yaml" + ":1:1 nam: "), 0U) << failure.detail();
    }
    EXPECT_FALSE(used);
}

TEST_F(ReconfigurationTest, WhatCannotBeAppliedChangesNothing) {
    write("name: b\nlog: {level: debug}");
    refusal = "no";
    EXPECT_THROW(static_cast<void>(reconfiguration->reload()), Failure);
    EXPECT_FALSE(log.enabled(LogLevel::debug));
    refusal.clear();
    EXPECT_EQ(reconfiguration->reload().used, (Words{"name", "log.level"}));
}

TEST_F(ReconfigurationTest, RenewedFilesComeWithTheConfigurationThatIsInUse) {
    write("name: of an editor that is not done");
    renew_secret("two");
    EXPECT_EQ(renew_when_settled().value().used, Words{folder / "secret"});
    EXPECT_EQ(used.value().name, "a");
    EXPECT_EQ(used.value().secret, "two");
    EXPECT_FALSE(reconfiguration->renew());
}

TEST_F(ReconfigurationTest, RenewedFileThatCannotBeUsedIsTriedAgain) {
    renew_secret("two");
    refusal = "its key is not there yet";
    EXPECT_FALSE(reconfiguration->renew());
    EXPECT_THROW(static_cast<void>(reconfiguration->renew()), Failure);
    EXPECT_THROW(static_cast<void>(reconfiguration->renew()), Failure);
    refusal.clear();
    EXPECT_TRUE(reconfiguration->renew());
    EXPECT_EQ(used.value().secret, "two");
}

TEST_F(ReconfigurationTest, SettingsThatTakeARestartAreNamedUntilTheyAreTakenBack) {
    write("threads: 3");
    EXPECT_EQ(reconfiguration->reload().for_restart, Words{"threads"});
    EXPECT_EQ(reconfiguration->reload().for_restart, Words{"threads"});
    write("threads: 1");
    EXPECT_EQ(reconfiguration->reload().for_restart, Words{});
}

TEST_F(ReconfigurationTest, LevelOfTheLogFollows) {
    write("log: {level: debug}");
    EXPECT_EQ(reconfiguration->reload().used, (Words{"name", "log.level"}));
    EXPECT_TRUE(log.enabled(LogLevel::debug));
}

}  // namespace
}  // namespace device_streams
