#include "common/config/command_line.hpp"

#include "common/base/version.hpp"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace device_streams {
namespace {

struct Config {
    std::string name = "nobody";
    unsigned count = 1;
    std::vector<std::string> extras;
};

const OptionTable<Config>& table() {
    static const auto made = [] {
        OptionTable<Config> options("tester", "Tests.");
        options.add({.key = "name", .flag = "--name", .help = "A name."}, text(), &Config::name);
        options.add({.key = "count", .flag = "--count", .help = "A count."}, whole_number(1U, 9U), &Config::count);
        options.rule({"name"}, [](Config& config, ParseContext& reading) {
            if (config.name == "root") reading.warn("name", "everybody calls itself so");
        });
        options.add_flag({.flag = "-x,--extra", .value = "EXTRA", .help = "Adds.", .repeatable = true, .type = "extra"},
                         [](Config& config, const RawValue& raw) { config.extras.emplace_back(raw.text); });
        return options;
    }();
    return made;
}

class CommandLineTest : public testing::Test {
 protected:
    ~CommandLineTest() override { std::filesystem::remove(file_); }

    LoadedConfig<Config> run(std::vector<const char*> arguments) {
        arguments.insert(arguments.begin(), "tester");
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        auto loaded = load_config(static_cast<int>(arguments.size()), arguments.data(), table());
        out_ = testing::internal::GetCapturedStdout();
        err_ = testing::internal::GetCapturedStderr();
        return loaded;
    }
    const char* write(std::string_view text) {
        std::ofstream(file_, std::ios::binary) << text;
        return file_.c_str();
    }

    const std::string file_ =
        (std::filesystem::path(testing::TempDir()) / ("ds_command_line_" + std::to_string(getpid()) + ".yaml"))
            .string();
    std::string out_;
    std::string err_;
};

TEST_F(CommandLineTest, WithoutFileDefaultsAndFlagsHold) {
    const auto loaded = run({"--count", "3"});
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->name, "nobody");
    EXPECT_EQ(loaded.config->count, 3U);
    EXPECT_EQ(out_ + err_, "");
}

TEST_F(CommandLineTest, FlagWinsOverTheFile) {
    const auto loaded = run({"-c", write("name: filed\ncount: 2\n"), "--count=4"});
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->name, "filed");
    EXPECT_EQ(loaded.config->count, 4U);
}

TEST_F(CommandLineTest, RepeatableFlagKeepsItsOrderAndTakesOneValueEach) {
    const auto loaded = run({"-x", "a", "-xb", "--extra=c"});
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->extras, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(run({"-x", "a", "b"}).exit_code, exit_usage);
}

TEST_F(CommandLineTest, ReloadReadsTheFileAgainUnderTheSameFlags) {
    const auto loaded = run({"-c", write("name: before\n"), "--count", "5"});
    write("name: after\n");
    const auto again = table().load(read_again(loaded.sources));
    EXPECT_EQ(again.name, "after");
    EXPECT_EQ(again.count, 5U);
}

TEST_F(CommandLineTest, CheckOfAValidFileSaysSoAndEnds) {
    const auto loaded = run({"--check-config", "-c", write("count: 2\n")});
    EXPECT_FALSE(loaded.config);
    EXPECT_EQ(loaded.exit_code, exit_ok);
    EXPECT_EQ(out_, "configuration is valid\n");
}

TEST_F(CommandLineTest, WhatIsUnwiseIsValidAndTold) {
    const auto told = file_ + ":1:7 name: everybody calls itself so";
    EXPECT_EQ(run({"-c", write("name: root\n")}).warnings, std::vector{told});
    EXPECT_EQ(out_ + err_, "");
    EXPECT_EQ(run({"--check-config", "-c", file_.c_str()}).exit_code, exit_ok);
    EXPECT_EQ(out_, "configuration is valid\n");
    EXPECT_EQ(err_, "warning: " + told + "\n");
}

TEST_F(CommandLineTest, FaultsGoToStandardErrorWithExitCode78) {
    const auto loaded = run({"--check-config", "-c", write("count: 20\nnam: x\n")});
    EXPECT_FALSE(loaded.config);
    EXPECT_EQ(loaded.exit_code, 78);
    EXPECT_EQ(out_, "");
    EXPECT_EQ(err_.find(file_ + ":1:8 count: \"20\" is out of range, allowed: number (1..9)\n" + file_ + ":2:1 nam: "),
              0U);
    EXPECT_NE(err_.find("\ntester: DS-101 the configuration has faults. "), std::string::npos);
}

TEST_F(CommandLineTest, UnreadableFileHasExitCode78) {
    EXPECT_EQ(run({"-c", "/nowhere/x.yaml"}).exit_code, 78);
    EXPECT_EQ(err_.find("tester: DS-102 a file cannot be read: /nowhere/x.yaml: No such file or directory. "), 0U);
}

TEST_F(CommandLineTest, WrongFlagValueHasExitCode64) {
    EXPECT_EQ(run({"--count", "x"}).exit_code, 64);
    EXPECT_EQ(err_.find("--count: \"x\" is not a whole number, allowed: number (1..9)\ntester: DS-107 "), 0U);
}

TEST_F(CommandLineTest, UnknownFlagNamesTheNearest) {
    EXPECT_EQ(run({"--cuont", "3"}).exit_code, 64);
    EXPECT_NE(err_.find("did you mean --count?"), std::string::npos);
    EXPECT_NE(err_.find("See tester --help.\n"), std::string::npos);
}

TEST_F(CommandLineTest, KeyGivenAsArgumentIsNotRepeated) {
    EXPECT_EQ(run({"--connection-string", "HostName=h;SharedAccessKey=s3cret"}).exit_code, 64);
    EXPECT_EQ(err_.find("s3cret"), std::string::npos);
    EXPECT_EQ(run({"--count", "HostName=h;SharedAccessKey=s3cret"}).exit_code, 64);
    EXPECT_EQ(err_.find("s3cret"), std::string::npos);
}

TEST_F(CommandLineTest, FlagThatIsNotRepeatableIsGivenOnce) {
    EXPECT_EQ(run({"--count", "3", "--count", "4"}).exit_code, 64);
}

TEST_F(CommandLineTest, HelpAndVersionGoToStandardOutput) {
    EXPECT_EQ(run({"--help"}).exit_code, exit_ok);
    EXPECT_NE(out_.find("--count NUMBER"), std::string::npos);
    EXPECT_NE(out_.find("[1..9; default 1]"), std::string::npos);
    EXPECT_EQ(out_.find("--print-config"), std::string::npos);
    EXPECT_EQ(run({"--version"}).exit_code, exit_ok);
    EXPECT_EQ(out_, std::string("tester ") + version + "\n");
}

TEST_F(CommandLineTest, DocumentsNeedNoConfiguration) {
    const auto loaded = run({"--print-config-reference", "-c", "/nowhere/x.yaml"});
    EXPECT_FALSE(loaded.config);
    EXPECT_EQ(loaded.exit_code, exit_ok);
    EXPECT_EQ(out_.find("## tester\n"), 0U);
    run({"--print-config-example"});
    EXPECT_NE(out_.find("\ncount: 1\n"), std::string::npos);
}

TEST_F(CommandLineTest, TableIsPartOfASubcommand) {
    CLI::App app("Tests.", "tester");
    ConfigCommand<Config> command(table(), *app.add_subcommand("run", "Runs."));
    const std::vector<const char*> arguments{"tester", "run", "--count", "6"};
    ASSERT_FALSE(parse_arguments(app, static_cast<int>(arguments.size()), arguments.data()));
    const auto loaded = command.load();
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->count, 6U);
}

}  // namespace
}  // namespace device_streams
