#include "common/config/options.hpp"

#include "common/base/error.hpp"
#include "common/config/reference.hpp"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

namespace device_streams::options_test {
namespace {

using namespace std::chrono_literals;

struct Rule {
    std::string name;
    int weight = 5;
    bool operator==(const Rule&) const = default;
};

struct Config {
    std::string name;
    std::uint16_t port = 443;
    std::chrono::milliseconds limit = 30s;
    std::chrono::milliseconds longest = 60s;
    std::optional<std::string> nickname;
    Secret key;
    std::vector<Rule> rules;
    struct SourceLocation {
        Endpoint address;
        int floor = 0;
        bool operator==(const SourceLocation&) const = default;
    };
    std::map<std::string, SourceLocation> places;
    std::vector<std::string> extras;
};

OptionTable<Config> make_table() {
    OptionTable<Rule> rule_items("rule", "");
    rule_items.add({.key = "name", .help = "Its name.", .example = "first", .required = true}, text(), &Rule::name);
    rule_items.add({.key = "weight", .help = "Its weight."}, whole_number(0, 10), &Rule::weight);
    OptionTable<Config> table("tester", "Tests.");
    table.add(
        {.key = "name", .flag = "--name", .help = "A name.", .example = "x", .required = true, .names_file = true},
        text(), &Config::name);
    table.section("hub", "The hub.");
    table.add({.key = "hub.port", .flag = "--hub-port", .help = "A port."}, port(), &Config::port);
    table.add({.key = "hub.key", .help = "A key.", .example = "...", .optional_example = true}, secret_text(),
              &Config::key);
    table.section("times", "Times.");
    table.add({.key = "times.limit", .help = "A limit."}, duration<std::chrono::milliseconds>(1s, 1h), &Config::limit);
    table.add({.key = "times.longest", .help = "Another."}, duration<std::chrono::milliseconds>(1s, 1h),
              &Config::longest);
    table.add(
        {.key = "nickname", .help = "Another name.", .example = "y", .optional_example = true, .takes_restart = true},
        text(), &Config::nickname);
    table.add_list({.key = "rules", .help = "Rules."}, rule_items, &Config::rules);
    OptionTable<Config::SourceLocation> place_items("place", "");
    place_items.add({.key = "address", .help = "Where.", .required = true}, endpoint(EndpointUse::connect),
                    &Config::SourceLocation::address);
    place_items.add({.key = "floor", .help = "How high."}, whole_number(0, 10), &Config::SourceLocation::floor);
    table.add_map({.key = "places", .help = "Places.", .example = "a: b:1"},
                  text("three letters", [](std::string_view name) { return name.size() == 3; }), place_items, "address",
                  &Config::places);
    table.add_flag({.flag = "-x", .help = "Adds an extra.", .repeatable = true, .type = "extra"},
                   [](Config& config, const RawValue& raw) {
                       if (raw.text == "bad") throw BadValue("it is bad");
                       config.extras.emplace_back(raw.text);
                   });
    table.rule({"times.limit", "times.longest"}, [](Config& config, ParseContext& reading) {
        if (config.longest < config.limit) reading.fault("times.longest", "shorter than times.limit");
    });
    return table;
}

const OptionTable<Config>& table() {
    static const auto made = make_table();
    return made;
}

using Flags = std::map<std::string, std::vector<std::string>>;

Config load(const std::string& text, Flags flags = {}) {
    return table().load({.text = text, .base = "/base", .flags = std::move(flags)});
}

struct Told {
    Errc code = Errc::internal;
    std::string text;
};

Told fault_of(const std::string& text, Flags flags = {}) {
    try {
        load(text, std::move(flags));
    } catch (const Failure& failure) {
        return {failure.errc(), failure.detail()};
    }
    return {};
}

TEST(Options, MissingKeysKeepTheirDefaults) {
    const auto config = load("name: a\n");
    EXPECT_EQ(config.name, "a");
    EXPECT_EQ(config.port, 443);
    EXPECT_EQ(config.limit, 30s);
    EXPECT_FALSE(config.nickname);
    EXPECT_TRUE(config.rules.empty());
}

TEST(Options, ReadsSectionsListsAndMaps) {
    const auto config = load(
        "name: a\nhub: {port: 8443}\ntimes:\n  limit: 2s\nnickname: b\nrules:\n  - name: r\n"
        "    weight: 1\n  - name: s\nplaces:\n  ssh: localhost:22\n  rdp:\n    address: localhost:3389\n    floor: "
        "7\n");
    EXPECT_EQ(config.port, 8443);
    EXPECT_EQ(config.limit, 2s);
    EXPECT_EQ(config.nickname, "b");
    ASSERT_EQ(config.rules.size(), 2U);
    EXPECT_EQ(config.rules[0].weight, 1);
    EXPECT_EQ(config.rules[1].name, "s");
    EXPECT_EQ(config.rules[1].weight, 5);
    EXPECT_EQ(config.places.at("ssh").address.port, 22);
    EXPECT_EQ(config.places.at("rdp").address.port, 3389);
    EXPECT_EQ(config.places.at("rdp").floor, 7);
}

TEST(Options, SectionWithoutKeysIsEmpty) {
    EXPECT_EQ(load("name: a\nhub:\nrules:\nplaces:\n").port, 443);
}

TEST(Options, FlagWinsOverTheFile) {
    const auto config = load("name: a\nhub: {port: 1}\n", {{"--hub-port", {"2"}}, {"-x", {"p", "q"}}});
    EXPECT_EQ(config.port, 2);
    EXPECT_EQ(config.extras, (std::vector<std::string>{"p", "q"}));
}

TEST(Options, FlagGivesARequiredKey) {
    EXPECT_EQ(table().load({.flags = {{"--name", {"a"}}}}).name, "a");
}

TEST(Options, RequiredKeyThatIsMissingIsAFault) {
    const auto told = fault_of("hub: {port: 1}\n");
    EXPECT_EQ(told.code, Errc::config_invalid);
    EXPECT_EQ(told.text, "config name: missing, allowed: text");
}

TEST(Options, UnknownKeyNamesTheNearestAndAllAllowed) {
    EXPECT_EQ(fault_of("name: a\nhub:\n  prot: 1\n").text,
              "config:3:3 hub.prot: this key is not known (did you mean \"port\"?), allowed: port, key");
    EXPECT_EQ(fault_of("name: a\nwhatever: 1\n").text,
              "config:2:1 whatever: this key is not known, allowed: name, hub, times, nickname, rules, places");
}

TEST(Options, KeyInTheWrongSectionIsPointedToItsOwn) {
    const auto told = fault_of("name: a\nport: 1\n").text;
    EXPECT_EQ(told.find("config:2:1 port: this key is not known (did you mean \"hub.port\"?)"), 0U);
}

TEST(Options, AllFaultsAreToldAtOnce) {
    const auto told = fault_of(
        "name: [a]\nhub:\n  port: 0\ntimes: 5\nrules:\n  - weight: 11\n  - r\nplaces:\n  toolong: b:1\n"
        "  ssh: b\n",
        {{"-x", {"bad"}}});
    EXPECT_EQ(told.code, Errc::config_invalid);
    EXPECT_EQ(told.text,
              "config:1:7 name: a list stands here, allowed: text\n"
              "config:3:9 hub.port: \"0\" is out of range, allowed: port (1..65535)\n"
              "config:4:8 times: a single value stands here, allowed: a map of keys and values\n"
              "config:6:13 rules[0].weight: \"11\" is out of range, allowed: number (0..10)\n"
              "config:6:5 rules[0].name: missing, allowed: text\n"
              "config:7:5 rules[1]: a single value stands here, allowed: a map of keys and values\n"
              "config:9:3 places: \"toolong\" is not possible, allowed: text (three letters)\n"
              "config:10:8 places.ssh: \"b\" is not an address with port, allowed: address (host:port, [IPv6]:port or "
              "unix:path)\n"
              "-x: it is bad, allowed: extra");
}

TEST(Options, RepeatedKeyIsAFault) {
    EXPECT_EQ(fault_of("name: a\nhub:\n  port: 1\n  port: 2\n").text,
              "config:4:3 hub.port: given twice (first in line 3), allowed: once");
    EXPECT_EQ(fault_of("name: a\nplaces:\n  ssh: {flor: 1}\n").text,
              "config:3:9 places.ssh.flor: this key is not known (did you mean \"floor\"?), allowed: address, floor\n"
              "config:3:8 places.ssh.address: missing, allowed: address (host:port, [IPv6]:port or unix:path)");
    EXPECT_EQ(fault_of("name: a\nplaces:\n  ssh: b:1\n  ssh: b:2\n").text,
              "config:4:3 places.ssh: given twice (first in line 3), allowed: once");
}

TEST(Options, KeyWithoutValueIsAFault) {
    EXPECT_EQ(fault_of("name:\n").text, "config:1:1 name: nothing stands here, allowed: text");
    EXPECT_EQ(fault_of("name: ''\n").text, "config:1:7 name: it is empty, allowed: text");
}

TEST(Options, ValueWithoutKeyIsAFault) {
    EXPECT_NE(fault_of("name: a\nhub: {~: 1}\n").text.find("hub: a value without key"), std::string::npos);
}

TEST(Options, FileThatIsNotAMapIsAFault) {
    EXPECT_NE(fault_of("- a\n").text.find("config:1:1: a list stands here"), std::string::npos);
    EXPECT_NE(fault_of("hello\n").text.find("config:1:1: a single value stands here"), std::string::npos);
}

TEST(Options, SyntaxFaultIsToldAlone) {
    EXPECT_EQ(fault_of("name: [a\n").text.find("config:2:1: not YAML"), 0U);
}

TEST(Options, FaultsOfFlagsAloneAreWrongUsage) {
    const auto told = fault_of("name: a\n", {{"--hub-port", {"x"}}});
    EXPECT_EQ(told.code, Errc::usage);
    EXPECT_EQ(told.text, "--hub-port: \"x\" is not a whole number, allowed: port (1..65535)");
}

TEST(Options, RuleIsCheckedAtThePlaceOfItsKey) {
    EXPECT_EQ(fault_of("name: a\ntimes:\n  limit: 2m\n").text, "config times.longest: shorter than times.limit");
    EXPECT_EQ(fault_of("name: a\ntimes:\n  limit: 2m\n  longest: 1m\n").text,
              "config:4:12 times.longest: shorter than times.limit");
}

TEST(Options, RuleAboutAFaultyValueIsNotChecked) {
    EXPECT_EQ(fault_of("name: a\ntimes:\n  limit: 2m\n  longest: soon\n").text.find("shorter"), std::string::npos);
}

TEST(Options, SecretsAreNeverRepeated) {
    for (const auto* text : {"name: a\nhub: {key: [s3cret]}\n", "name: a\nhub: {key: {s3cret: 1}}\n",
                             "name: a\nhub: SharedAccessKey=s3cret\n", "name: a\nhub: {port: SharedAccessKey=s3cret}\n",
                             "name: a\nSharedAccessKey=s3cret: 1\n", "name: a\nhub: s3cret\n",
                             "name: a\nhub: {key: x, 'SharedAccessKey=s3cret': 1}\n"}) {
        const auto told = fault_of(text).text;
        EXPECT_NE(told, "") << text;
        EXPECT_EQ(told.find("s3cret"), std::string::npos) << told;
    }
}

TEST(Options, UnreadableFileIsItsOwnFailure) {
    try {
        static_cast<void>(table().load({.file = "/nowhere/tester.yaml"}));
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::file_unreadable);
        EXPECT_EQ(failure.detail(), "/nowhere/tester.yaml: No such file or directory");
    }
}

using Keys = std::vector<std::string>;

TEST(Options, NameTheKeysWhoseValuesDiffer) {
    Config before;
    before.rules = {{"first"}};
    before.places = {{"abc", {}}};
    auto after = before;
    EXPECT_EQ(table().changed_keys(before, after, false), Keys{});
    after.port = 1;
    after.key = Secret("other");
    after.rules[0].weight = 6;
    after.places["abc"].floor = 1;
    EXPECT_EQ(table().changed_keys(before, after, false), (Keys{"hub.port", "hub.key", "rules", "places"}));
}

TEST(Options, TellKeysThatTakeARestartFromTheOthers) {
    Config before, after;
    after.nickname = "y";
    EXPECT_EQ(table().changed_keys(before, after, false), Keys{});
    EXPECT_EQ(table().changed_keys(before, after, true), Keys{"nickname"});
}

TEST(Options, NameTheFilesWhoseContentIsInUse) {
    Config config;
    EXPECT_EQ(table().files(config), Keys{});
    config.name = "a.pem";
    EXPECT_EQ(table().files(config), Keys{"a.pem"});
}

TEST(Options, RememberedTextIsReadInsteadOfTheFile) {
    EXPECT_EQ(table().load({.file = "/nowhere/tester.yaml", .text = "name: kept\n"}).name, "kept");
}

TEST(Reference, ExampleFileHasEveryKeyWithItsDefault) {
    EXPECT_EQ(example_yaml(table().info()),
              "# Configuration of tester: Tests. Every key stands here with its default or an example; keys that are\n"
              "# commented out are not set.\n"
              "\n# A name.\n# Text. Required.\nname: x\n"
              "\n# The hub.\nhub:\n  # A port.\n  # Port (1..65535). Default: 443.\n  port: 443\n"
              "\n  # A key.\n  # Secret text.\n  #key: ...\n"
              "\n# Times.\ntimes:\n  # A limit.\n  # Duration (1s..1h). Default: 30s.\n  limit: 30s\n"
              "\n  # Another.\n  # Duration (1s..1h). Default: 1m.\n  longest: 1m\n"
              "\n# Another name.\n# Text.\n#nickname: y\n"
              "\n# Rules.\n# List.\nrules:\n  -\n    # Its name.\n    # Text. Required.\n    name: first\n"
              "    # Its weight.\n    # Number (0..10). Default: 5.\n    weight: 5\n"
              "\n# Places.\n# Map (of names (three letters) to addresses, or to maps).\nplaces:\n  a: b:1\n");
}

TEST(Reference, ExampleHasSectionsInSections) {
    struct Nested {
        std::uint16_t a = 1, b = 2, c = 3;
    };
    OptionTable<Nested> nested("tester", "Tests.");
    nested.section("outer", "Outer.");
    nested.section("outer.first", "First.");
    nested.add({.key = "outer.first.a", .help = "A."}, port(), &Nested::a);
    nested.add({.key = "outer.second.b", .help = "B."}, port(), &Nested::b);
    nested.add({.key = "c", .help = "C."}, port(), &Nested::c);
    const auto example = example_yaml(nested.info());
    const auto lines =
        "\n# Outer.\nouter:\n  # First.\n  first:\n    # A.\n    # Port (1..65535). Default: 1.\n    a: 1\n"
        "\n  second:\n    # B.\n    # Port (1..65535). Default: 2.\n    b: 2\n"
        "\n# C.\n# Port (1..65535). Default: 3.\nc: 3\n";
    EXPECT_NE(example.find(lines), std::string::npos) << example;
    EXPECT_EQ(nested.load({.text = example}).b, 2);
}

TEST(Reference, MarkdownHasARowForEveryOption) {
    const auto markdown = reference_markdown(table().info());
    EXPECT_NE(markdown.find("| `hub.port` | `--hub-port` | port (1..65535) | `443` | A port. |\n"), std::string::npos);
    EXPECT_NE(markdown.find("| `rules[].weight` |  | number (0..10) | `5` | Its weight. |\n"), std::string::npos);
    EXPECT_NE(markdown.find("| `places.NAME.floor` |  | number (0..10) | `0` | How high. |\n"), std::string::npos);
    EXPECT_NE(markdown.find("| `name` | `--name` | text | required | A name. |\n"), std::string::npos);
    EXPECT_NE(markdown.find("| `nickname` |  | text |  | Another name. A change takes a restart. |\n"),
              std::string::npos);
    EXPECT_NE(markdown.find("|  | `-x` | extra |  | Adds an extra. |\n"), std::string::npos);
}

TEST(Reference, MarkdownHasARowForEveryCommand) {
    CLI::App app("Tests.", "tester");
    EXPECT_EQ(command_markdown(app), "");
    auto* things = app.add_subcommand("thing", "Things");
    auto* add = things->add_subcommand("add", "Add one | or more");
    std::string id, kind;
    bool quick = false;
    add->add_option("ID", id)->required();
    add->add_option("--kind", kind)->type_name("WORD")->check(CLI::IsMember({"a", "b"}));
    add->add_flag("--quick", quick);
    EXPECT_EQ(command_markdown(app),
              "| Command | What it does |\n|---|---|\n"
              "| `tester thing add ID [--kind WORD] [--quick]` | Add one \\| or more |\n");
}

TEST(Reference, MarkdownHasARowForEveryErrorWithItsExitCode) {
    const auto markdown = error_markdown();
    for (const auto& row : error_table())
        EXPECT_NE(markdown.find("| `" + std::string(row.id) + "` | " + std::string(row.summary)), std::string::npos);
    EXPECT_NE(markdown.find("| `DS-107` | the command line is wrong | See --help. | 64 |\n"), std::string::npos);
}

}  // namespace
}  // namespace device_streams::options_test
