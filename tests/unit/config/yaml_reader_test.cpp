#include "common/config/yaml_reader.hpp"

#include <gtest/gtest.h>

namespace device_streams::yaml_reader_test {
namespace {

std::optional<YamlNode> parse(std::string_view text, Faults& faults) {
    return parse_yaml(text, "a.yaml", faults);
}

std::string fault_of(std::string_view text) {
    Faults faults;
    EXPECT_FALSE(parse(text, faults)) << text;
    return faults.text();
}

std::string repeated(std::string_view piece, std::size_t bytes) {
    std::string text;
    while (text.size() + piece.size() <= bytes) text += piece;
    return text;
}

TEST(YamlReader, KeepsOrderTextAndPlaces) {
    Faults faults;
    const auto root = parse("name: hub1\nlist:\n  - 007\n  - 'two words'\n", faults);
    ASSERT_TRUE(root);
    ASSERT_EQ(root->entries.size(), 2U);
    EXPECT_EQ(root->entries[0].key.text, "name");
    EXPECT_EQ(root->entries[0].value.text, "hub1");
    EXPECT_EQ(root->entries[0].value.line, 1);
    EXPECT_EQ(root->entries[0].value.column, 7);
    const auto& list = root->entries[1].value;
    ASSERT_EQ(list.kind, YamlNode::Kind::list);
    EXPECT_EQ(list.items[0].text, "007");
    EXPECT_EQ(list.items[1].text, "two words");
    EXPECT_EQ(list.items[1].line, 4);
    EXPECT_EQ(list.items[1].column, 5);
}

TEST(YamlReader, KeyWithoutValueHasThePlaceOfTheKey) {
    Faults faults;
    const auto root = parse("a: 1\nb:\nc: 2\n", faults);
    ASSERT_TRUE(root);
    EXPECT_EQ(root->entries[1].value.kind, YamlNode::Kind::nothing);
    EXPECT_EQ(root->entries[1].value.line, 2);
    EXPECT_EQ(root->entries[1].value.column, 1);
}

TEST(YamlReader, EmptyDocumentIsAnEmptyMap) {
    for (const auto* text : {"", "\n\n", "# only a comment\n", "---\n"}) {
        Faults faults;
        const auto root = parse(text, faults);
        ASSERT_TRUE(root) << text;
        EXPECT_EQ(root->kind, YamlNode::Kind::map);
        EXPECT_TRUE(root->entries.empty());
    }
}

TEST(YamlReader, KeepsRepeatedKeysForItsCaller) {
    Faults faults;
    const auto root = parse("a: 1\na: 2\n", faults);
    ASSERT_TRUE(root);
    EXPECT_EQ(root->entries.size(), 2U);
}

TEST(YamlReader, SyntaxFaultHasItsPlace) {
    EXPECT_EQ(fault_of("a: 1\nb: [1, 2\n").find("a.yaml:3:1: not YAML"), 0U);
    EXPECT_EQ(fault_of("a: 1\n\tb: 2\n").find("a.yaml:2:"), 0U);
}

TEST(YamlReader, RefusesAliasesAndAnchors) {
    EXPECT_NE(fault_of("a: &x 1\n").find("a.yaml:1:4: not YAML as it is used here: an anchor"), std::string::npos);
    EXPECT_NE(fault_of("a: &x [*x]\n").find("an anchor"), std::string::npos);
}

TEST(YamlReader, RefusesTags) {
    EXPECT_NE(fault_of("a: !!int 5\n").find("a tag"), std::string::npos);
    EXPECT_NE(fault_of("a: !thing {}\n").find("a tag"), std::string::npos);
}

TEST(YamlReader, RefusesASecondDocument) {
    EXPECT_NE(fault_of("a: 1\n---\nb: 2\n").find("a second document"), std::string::npos);
}

TEST(YamlReader, RefusesListsAndMapsAsKeys) {
    EXPECT_NE(fault_of("? [a]\n: 1\n").find("as key"), std::string::npos);
    EXPECT_NE(fault_of("{{a: 1}: 2}\n").find("as key"), std::string::npos);
}

// The parser would take 0x04 for the end of the file and drop the rest without a word.
TEST(YamlReader, RefusesControlCharacters) {
    EXPECT_EQ(fault_of("a: 1\nbc\x04: 2\n"), "a.yaml:2:3: a control character, allowed: text");
    EXPECT_EQ(fault_of(std::string_view("a: \0", 4)), "a.yaml:1:4: a control character, allowed: text");
}

// The parser forgives it and takes the next line for what it is.
TEST(YamlReader, RefusesAQuoteWithoutEnd) {
    EXPECT_EQ(
        fault_of("b: 'it''s'\na: \"open\nb: \"x\"\n"),
        "a.yaml:2:4: not YAML as it is used here: a quote without its end, allowed: quotes that end in their line");
    EXPECT_NE(fault_of("a: 'open\n").find("a quote without its end"), std::string::npos);
    EXPECT_NE(fault_of("a: \"open\\\"\n").find("a quote without its end"), std::string::npos);
}

TEST(YamlReader, TakesQuotesThatEnd) {
    Faults faults;
    const auto root = parse("\xef\xbb\xbf\"k\": \"a\\\"b\"\r\nü: 'it''s'\nc: |\n  \"block\n", faults);
    ASSERT_TRUE(root) << faults.text();
    EXPECT_EQ(root->entries[0].value.text, "a\"b");
    EXPECT_EQ(root->entries[1].value.text, "it's");
    EXPECT_EQ(root->entries[2].value.text, "\"block\n");
}

TEST(YamlReader, RefusesWhatIsNotUtf8) {
    EXPECT_EQ(fault_of("a: 1\nb: \xff\n"), "a.yaml:2:4: not UTF-8, allowed: UTF-8 text");
}

TEST(YamlReader, RefusesDeepNesting) {
    EXPECT_NE(fault_of(repeated("[", 40) + repeated("]", 40)).find("nested too deeply"), std::string::npos);
    EXPECT_NE(fault_of(repeated("- ", 40)).find("nested too deeply"), std::string::npos);
}

TEST(YamlReader, RefusesMoreThanItsLimits) {
    const YamlLimits limits{.bytes = 20, .depth = 16, .nodes = 4};
    Faults faults;
    EXPECT_FALSE(parse_yaml("[1, 2, 3, 4]", "a.yaml", faults, limits));
    EXPECT_FALSE(parse_yaml(repeated("#", 21), "a.yaml", faults, limits));
    EXPECT_NE(faults.text().find("too many values"), std::string::npos);
    EXPECT_NE(faults.text().find("too long, allowed: 20 bytes"), std::string::npos);
}

// Each was an attack on a YAML parser once: none may crash or take more than linear time.
TEST(YamlReader, SurvivesHostileFiles) {
    for (const auto* piece :
         {"[",    "{",    "- ",          "? ",    "a: ",    "{a: ",    "&a ", "*a ", "!a ", "\"",
          "'",    "|\n",  "%YAML 1.1\n", "- a\n", "a\n",    "--- a\n", ",",   "[],", "\\",  "\xef\xbb\xbf",
          "\xff", "a: [", "\n",          "#",     "&a [*a,"}) {
        Faults faults;
        static_cast<void>(parse(repeated(piece, 100'000), faults));
    }
}

}  // namespace
}  // namespace device_streams::yaml_reader_test
