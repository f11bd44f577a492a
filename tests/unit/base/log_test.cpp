#include "common/base/log.hpp"

#include "common/base/log_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>

namespace device_streams {
namespace {

struct Line {
    LogLevel level;
    std::string message;
    std::vector<LogField> fields;
};

class RecordingSink final : public LogSink {
 public:
    void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) override {
        lines.push_back({level, std::string(message), fields});
    }
    std::vector<Line> lines;
};

nlohmann::json parse_json_line(std::string_view message, const std::vector<LogField>& fields) {
    return nlohmann::json::parse(json_line(LogLevel::info, message, fields, {}));
}

TEST(Log, DropsLinesBelowItsLevel) {
    const auto sink = std::make_shared<RecordingSink>();
    const Log log(sink, LogLevel::warning);
    log.info("dropped");
    log.warning("kept");
    ASSERT_EQ(sink->lines.size(), 1U);
    EXPECT_EQ(sink->lines[0].message, "kept");
    EXPECT_EQ(sink->lines[0].level, LogLevel::warning);
}

TEST(Log, ChildCarriesItsParentsFieldsFirst) {
    const auto sink = std::make_shared<RecordingSink>();
    const Log parent = Log(sink).with({{"device", "pump-17"}});
    parent.with({{"stream", "1a2b3c4d"}}).info("opened", {{"bytes", 7}});
    parent.info("alone");
    ASSERT_EQ(sink->lines.size(), 2U);
    EXPECT_EQ(human_line("", sink->lines[0].fields), " device=pump-17 stream=1a2b3c4d bytes=7");
    EXPECT_EQ(human_line("", sink->lines[1].fields), " device=pump-17");
}

TEST(Log, LevelSetInAChildHoldsInTheParent) {
    const auto sink = std::make_shared<RecordingSink>();
    const Log parent(sink);
    Log child = parent.with({{"a", 1}});
    child.set_level(LogLevel::debug);
    EXPECT_TRUE(parent.enabled(LogLevel::debug));
}

TEST(LogText, EscapesLineBreaksAndTerminalControls) {
    EXPECT_EQ(escape_control_characters("a\nb\r\tc\x1b[31m\x7f"), "a\\nb\\r\\tc\\x1b[31m\\x7f");
    EXPECT_EQ(escape_control_characters(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(LogText, EscapesWhatItEscapesWith) {
    EXPECT_EQ(escape_control_characters("a\\nb"), "a\\\\nb");
    EXPECT_EQ(human_line("m", {{"device", "x\\\" y"}}), "m device=\"x\\\\\\\" y\"");
}

TEST(LogText, EscapesUnicodeThatMovesOrSplitsText) {
    EXPECT_EQ(escape_control_characters("\xc2\x9b"), "\\xc2\\x9b");                                      // C1 control
    EXPECT_EQ(escape_control_characters("\xe2\x80\xa8\xe2\x80\xae"), "\\xe2\\x80\\xa8\\xe2\\x80\\xae");  // LS, RLO
}

TEST(LogText, KeepsLettersOfAllScripts) {
    const std::string text = "Grüße, насос, ポンプ, 🚰";
    EXPECT_EQ(escape_control_characters(text), text);
}

TEST(LogText, EscapesBytesThatAreNotUtf8) {
    EXPECT_EQ(escape_control_characters("\xff\xc3"), "\\xff\\xc3");                    // stray and truncated
    EXPECT_EQ(escape_control_characters("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
    EXPECT_EQ(escape_control_characters("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
    EXPECT_EQ(escape_control_characters("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");  // beyond U+10FFFF
}

TEST(LogText, HumanLineQuotesWhatAReaderCouldMisread) {
    EXPECT_EQ(human_line("closed", {{"reason", "peer said \"bye\""}, {"empty", ""}, {"pair", "a=b"}, {"n", 3}}),
              R"(closed reason="peer said \"bye\"" empty="" pair="a=b" n=3)");
}

TEST(LogText, PeerCannotForgeAHumanLine) {
    const auto line = human_line("refused", {{"device", "x\n2026-01-01T00:00:00 error fake"}});
    EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(LogText, JournaldLineStartsWithThePriority) {
    EXPECT_EQ(journald_line(LogLevel::debug, "m", {}), "<7>m");
    EXPECT_EQ(journald_line(LogLevel::info, "m", {}), "<6>m");
    EXPECT_EQ(journald_line(LogLevel::warning, "m", {}), "<4>m");
    EXPECT_EQ(journald_line(LogLevel::error, "m", {{"a", "b"}}), "<3>m a=b");
}

TEST(LogText, JsonLineHasUtcTimeWithMilliseconds) {
    const auto when = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'767'607'200'045));
    const auto line = nlohmann::json::parse(json_line(LogLevel::error, "m", {}, when));
    EXPECT_EQ(line["time"], "2026-01-05T10:00:00.045Z");
    EXPECT_EQ(line["level"], "error");
    EXPECT_EQ(line["message"], "m");
}

TEST(LogText, JsonLineKeepsNumbersAndEscapesText) {
    const std::vector<LogField> fields{{"bytes", 18'446'744'073'709'551'615ULL}, {"text", "1\n\xff"}, {"ratio", 0.5}};
    const auto line = json_line(LogLevel::info, "m", fields, {});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto parsed = nlohmann::json::parse(line);
    EXPECT_EQ(parsed["bytes"], 18'446'744'073'709'551'615ULL);
    EXPECT_EQ(parsed["text"], "1\n\xef\xbf\xbd");
    EXPECT_EQ(parsed["ratio"], 0.5);
}

TEST(LogText, JsonLineWritesInfinityAsText) {
    EXPECT_EQ(parse_json_line("m", {{"load", std::numeric_limits<double>::infinity()}})["load"], "inf");
}

TEST(LogText, JsonFieldCannotReplaceTheLevel) {
    const auto line = parse_json_line("m", {{"level", "error"}, {"message", "other"}});
    EXPECT_EQ(line["level"], "info");
    EXPECT_EQ(line["message"], "m");
    EXPECT_EQ(line["level_"], "error");
}

TEST(LogSink, WritesOneLinePerCallToStandardError) {
    testing::internal::CaptureStderr();
    const Log log(make_stderr_sink(LogFormat::journald), LogLevel::debug);
    log.debug("first {} %s");
    log.error("second", {{"device", "a\nb"}});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "<7>first {} %s\n<3>second device=a\\nb\n");
}

TEST(LogSink, HumanLineStartsWithIsoTimeAndLevel) {
    testing::internal::CaptureStderr();
    Log(make_stderr_sink(LogFormat::human)).warning("careful");
    const auto line = testing::internal::GetCapturedStderr();
    EXPECT_EQ(line.find("20"), 0U);
    EXPECT_EQ(line[10], 'T');
    EXPECT_EQ(line[19], '.');
    EXPECT_NE(line.find(" warning careful\n"), std::string::npos);
}

TEST(LogSink, AutomaticMeansJsonWhereNobodyReads) {
    testing::internal::CaptureStderr();
    Log(make_stderr_sink(LogFormat::automatic)).info("started");
    EXPECT_EQ(nlohmann::json::parse(testing::internal::GetCapturedStderr())["message"], "started");
}

}  // namespace
}  // namespace device_streams
