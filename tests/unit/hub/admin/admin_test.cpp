#include "common/async/block_on.hpp"
#include "hub/admin/admin_session.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class AdminTest : public ::testing::Test {
 protected:
    json open_request(const json& request) { return block_on(commands.execute(request)); }
    json result(const json& request) { return result_of(open_request(request)); }
    void expect_error(Errc code, const json& request) {
        EXPECT_EQ(open_request(request).value("error", 0), static_cast<int>(code));
    }

    test::ManualClock clock;
    SqliteRegistry registry{SqliteRegistry::in_memory, SqliteRegistry::Mode::create_new, clock};
    HubFacts facts{"hub1.example.com", "https://hub1.example.com:8443"};
    AdminCommands commands{registry, facts};
};

TEST_F(AdminTest, AddingADeviceGivesItsConnectionString) {
    const auto answer = result({{"command", "device add"}, {"device", "pump-17"}});
    const auto key = block_on(registry.find({"pump-17", ""}))->keys()->primary;
    EXPECT_EQ(answer.at("connectionString"),
              "HostName=hub1.example.com;DeviceId=pump-17;SharedAccessKey=" + std::string(key.reveal()));
}

TEST_F(AdminTest, AddingAModuleGivesItsConnectionString) {
    result({{"command", "device add"}, {"device", "pump-17"}});
    const auto answer = result({{"command", "device add"}, {"device", "pump-17"}, {"module", "tunnel"}});
    EXPECT_THAT(answer.at("connectionString").get<std::string>(),
                MatchesRegex("HostName=hub1.example.com;DeviceId=pump-17;ModuleId=tunnel;SharedAccessKey=.*"));
}

TEST_F(AdminTest, SaysWhatTheRegistryRefuses) {
    result({{"command", "device add"}, {"device", "pump-17"}});
    expect_error(Errc::already_exists, {{"command", "device add"}, {"device", "pump-17"}});
    expect_error(Errc::not_found, {{"command", "device remove"}, {"device", "stranger"}});
    expect_error(Errc::not_found, {{"command", "device show"}, {"device", "stranger"}});
    expect_error(Errc::usage, {{"command", "device add"}, {"device", "a/b"}});
}

TEST_F(AdminTest, RefusesRequestsOfTheWrongShape) {
    expect_error(Errc::usage, {{"command", "device add"}});
    expect_error(Errc::usage, {{"command", "device add"}, {"device", 17}});
    expect_error(Errc::usage, {{"command", "device paint"}, {"device", "pump-17"}});
    expect_error(Errc::usage, {{"command", "make coffee"}});
    expect_error(Errc::usage, json::array());
    expect_error(Errc::usage, "device list");
    expect_error(Errc::usage, json::value_t::discarded);
}

TEST_F(AdminTest, ListsAndShowsWithoutKeys) {
    result({{"command", "device add"}, {"device", "pump-17"}});
    const json expected{
        {"device", "pump-17"}, {"enabled", true}, {"created", "2026-01-01T00:00:00Z"}, {"authentication", "sas"}};
    EXPECT_EQ(result({{"command", "device list"}}), json::array({expected}));
    EXPECT_EQ(result({{"command", "device show"}, {"device", "pump-17"}}), expected);
}

TEST_F(AdminTest, ShowsWhoIsConnectedWhenAHubRuns) {
    LiveView live;
    live.connected = []() -> asio::awaitable<std::vector<iothub::Target>> {
        co_return std::vector<iothub::Target>(1, iothub::Target{"b", ""});
    };
    AdminCommands running(registry, facts, live);
    for (const char* id : {"a", "b"}) result({{"command", "device add"}, {"device", id}});
    const auto list = result_of(block_on(running.execute({{"command", "device list"}})));
    EXPECT_EQ(list.at(0).at("connected"), false);
    EXPECT_EQ(list.at(1).at("connected"), true);
}

TEST_F(AdminTest, DisablesAndEnablesDevices) {
    result({{"command", "device add"}, {"device", "a"}});
    result({{"command", "device disable"}, {"device", "a"}});
    EXPECT_EQ(result({{"command", "device show"}, {"device", "a"}}).at("enabled"), false);
    result({{"command", "device enable"}, {"device", "a"}});
    EXPECT_EQ(result({{"command", "device show"}, {"device", "a"}}).at("enabled"), true);
}

TEST_F(AdminTest, RenewsTheKeyThatIsAskedFor) {
    result({{"command", "device add"}, {"device", "a"}});
    const auto answer = result({{"command", "device renew-key"}, {"device", "a"}, {"key", "secondary"}});
    const auto keys = *block_on(registry.find({"a", ""}))->keys();
    EXPECT_THAT(answer.at("connectionString").get<std::string>(), HasSubstr(std::string(keys.secondary.reveal())));
}

const std::string sha1(40, 'A'), sha256(64, 'B');

TEST_F(AdminTest, AddsDevicesWithCertificates) {
    const auto pump =
        result({{"command", "device add"}, {"device", "pump"}, {"thumbprint", sha1}, {"secondaryThumbprint", sha256}});
    EXPECT_EQ(pump.at("connectionString"), "HostName=hub1.example.com;DeviceId=pump;x509=true");
    result({{"command", "device add"}, {"device", "valve"}, {"authority", true}});
    const auto shown = result({{"command", "device show"}, {"device", "pump"}});
    EXPECT_EQ(shown.at("authentication"), "selfSigned");
    EXPECT_EQ(shown.at("primaryThumbprint"), sha1);
    EXPECT_EQ(shown.at("secondaryThumbprint"), sha256);
    EXPECT_EQ(result({{"command", "device show"}, {"device", "valve"}}).at("authentication"), "certificateAuthority");
    expect_error(Errc::usage, {{"command", "device add"}, {"device", "a"}, {"thumbprint", "17"}});
    expect_error(Errc::usage, {{"command", "device add"}, {"device", "a"}, {"thumbprint", sha1}, {"authority", true}});
}

TEST_F(AdminTest, UpdatesOneThumbprintAndKeepsTheOther) {
    result({{"command", "device add"}, {"device", "pump"}, {"thumbprint", sha1}});
    result({{"command", "device update"}, {"device", "pump"}, {"secondaryThumbprint", sha256}});
    EXPECT_EQ(block_on(registry.find({"pump", ""}))->authentication, Authentication(Thumbprints{sha1, sha256}));
    result({{"command", "device update"}, {"device", "pump"}, {"thumbprint", sha256}, {"secondaryThumbprint", ""}});
    EXPECT_EQ(block_on(registry.find({"pump", ""}))->authentication, Authentication(Thumbprints{sha256, ""}));
    expect_error(Errc::not_found, {{"command", "device update"}, {"device", "stranger"}, {"authority", true}});
}

TEST_F(AdminTest, ChangesBetweenKeysAndCertificates) {
    result({{"command", "device add"}, {"device", "pump"}});
    EXPECT_EQ(result({{"command", "device update"}, {"device", "pump"}, {"authority", true}}).at("connectionString"),
              "HostName=hub1.example.com;DeviceId=pump;x509=true");
    const auto back = result({{"command", "device update"}, {"device", "pump"}, {"keys", true}});
    const auto key = block_on(registry.find({"pump", ""}))->keys()->primary;
    EXPECT_EQ(back.at("connectionString"),
              "HostName=hub1.example.com;DeviceId=pump;SharedAccessKey=" + std::string(key.reveal()));
}

TEST_F(AdminTest, AddsPoliciesWithTheirConnectionString) {
    const auto answer = result({{"command", "policy add"}, {"name", "ops"}, {"permissions", {"ServiceConnect"}}});
    EXPECT_THAT(answer.at("connectionString").get<std::string>(),
                MatchesRegex("HostName=hub1.example.com;SharedAccessKeyName=ops;SharedAccessKey=.*"));
    const json expected{{"name", "ops"}, {"permissions", {"ServiceConnect"}}, {"rules", json::array()}};
    EXPECT_EQ(result({{"command", "policy list"}}), json::array({expected}));
}

TEST_F(AdminTest, ChangesAndShowsTheRulesOfAPolicy) {
    result({{"command", "policy add"},
            {"name", "ops"},
            {"permissions", {"ServiceConnect"}},
            {"allow", {"a ssh", "b rdp UTC"}}});
    const auto grown = result({{"command", "policy allow"}, {"name", "ops"}, {"rule", "c  web"}});
    EXPECT_EQ(grown.at("rules").at(2), (json{{"number", 3}, {"rule", "c web"}}));
    result({{"command", "policy disallow"}, {"name", "ops"}, {"rule", "a ssh"}});
    const auto shown = result({{"command", "policy show"}, {"name", "ops"}});
    const json left = json::array({{{"number", 2}, {"rule", "b rdp UTC"}}, {{"number", 3}, {"rule", "c web"}}});
    EXPECT_EQ(shown.at("rules"), left);
    expect_error(Errc::usage, {{"command", "policy allow"}, {"name", "ops"}, {"rule", "c"}});
    expect_error(Errc::usage, {{"command", "policy allow"}, {"name", "ops"}});
    expect_error(Errc::not_found, {{"command", "policy show"}, {"name", "others"}});
    expect_error(Errc::usage,
                 {{"command", "policy add"}, {"name", "x"}, {"permissions", json::array()}, {"allow", {"c"}}});
    expect_error(Errc::not_found, {{"command", "policy show"}, {"name", "x"}});
}

TEST_F(AdminTest, ExplainsWhatAPolicyMayReach) {
    result({{"command", "device add"}, {"device", "a"}});
    result({{"command", "policy add"}, {"name", "ops"}, {"permissions", {"ServiceConnect"}}, {"allow", {"* ssh UTC"}}});
    json question{
        {"command", "policy explain"}, {"name", "ops"}, {"device", "a"}, {"service", "ssh"}, {"at", 1'795'728'615}};
    const json yes{{"allowed", true}, {"reason", "rule 1 (* ssh UTC) allows it"}, {"known", true}, {"rule", 1}};
    EXPECT_EQ(result(question), yes);
    question["service"] = "rdp";
    question["device"] = "stranger";
    EXPECT_EQ(result(question).at("allowed"), false);
    EXPECT_EQ(result(question).at("known"), false);
    question["name"] = "others";
    expect_error(Errc::not_found, question);
}

TEST_F(AdminTest, RefusesUnknownPermissions) {
    expect_error(Errc::usage, {{"command", "policy add"}, {"name", "ops"}, {"permissions", {"Everything"}}});
}

TEST_F(AdminTest, RemovesPolicies) {
    result({{"command", "policy add"}, {"name", "ops"}, {"permissions", {"ServiceConnect", "DeviceConnect"}}});
    result({{"command", "policy remove"}, {"name", "ops"}});
    EXPECT_EQ(result({{"command", "policy list"}}), json::array());
    expect_error(Errc::not_found, {{"command", "policy remove"}, {"name", "ops"}});
}

TEST_F(AdminTest, ShowsTheStreamingEndpointAsTheAzureTool) {
    EXPECT_EQ(result({{"command", "devicestream show"}}).dump(),
              R"({"streamingEndpoints":["https://hub1.example.com:8443"]})");
}

TEST_F(AdminTest, ListsStreamsOnlyOfARunningHub) {
    expect_error(Errc::hub_not_running, {{"command", "streams list"}});
    LiveView live;
    live.streams = [] {
        std::vector<RunningStream> streams(1);
        streams[0].stream.target.device_id = "pump-17";
        streams[0].stream.name = "ssh.1a2b3c4d";
        streams[0].bytes_to_service = 7;
        return streams;
    };
    AdminCommands running(registry, facts, live);
    const auto list = result_of(block_on(running.execute({{"command", "streams list"}})));
    EXPECT_EQ(list.at(0).at("stream"), "ssh.1a2b3c4d");
    EXPECT_EQ(list.at(0).at("bytes_to_service"), 7);
}

TEST_F(AdminTest, ReloadSaysWhatChangedAndWhatIsWrong) {
    expect_error(Errc::hub_not_running, {{"command", "reload"}});
    LiveView live;
    live.reload = []() -> asio::awaitable<Changes> { co_return Changes{{"linger"}, {"listen"}}; };
    AdminCommands running(registry, facts, live);
    const auto changes = result_of(block_on(running.execute({{"command", "reload"}})));
    EXPECT_EQ(changes, (json{{"changed", {"linger"}}, {"forRestart", {"listen"}}}));

    live.reload = []() -> asio::awaitable<Changes> {
        throw Failure(Errc::config_invalid, "hub.yaml:3:1 linger: wrong");
        co_return Changes();
    };
    AdminCommands mistaken(registry, facts, live);
    EXPECT_EQ(block_on(mistaken.execute({{"command", "reload"}})).at("detail"), "hub.yaml:3:1 linger: wrong");
}

TEST_F(AdminTest, SaysWithEachAnswerThatTheHubIsStopping) {
    bool stopping = false;
    LiveView live;
    live.stopping = [&] { return stopping; };
    AdminCommands running(registry, facts, live);
    EXPECT_FALSE(block_on(running.execute({{"command", "device list"}})).contains("stopping"));
    stopping = true;
    EXPECT_EQ(block_on(running.execute({{"command", "device list"}})).at("stopping"), true);
    const auto failed = block_on(running.execute({{"command", "device show"}, {"device", "stranger"}}));
    EXPECT_TRUE(failed.contains("error") && failed.at("stopping") == true) << failed;
}

TEST_F(AdminTest, ThrowsTheFailureThatAnAnswerHolds) {
    try {
        result_of({{"error", 609}, {"detail", "pump-17"}});
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::already_exists);
        EXPECT_EQ(failure.detail(), "pump-17");
    }
    EXPECT_THROW(result_of(json::array()), Failure);
    EXPECT_THROW(result_of(json::value_t::discarded), Failure);
}

class AdminSessionTest : public AdminTest {
 protected:
    // What the hub answers to these bytes, after which the client ends its direction.
    std::string session(std::string_view text) {
        asio::io_context io(1);
        auto [client, hub] = test::make_memory_streams(io.get_executor());
        client->in().capacity = client->out().capacity = 1 << 20;
        auto talk = [](ByteStream& end, std::string line) -> asio::awaitable<std::string> {
            co_await write_text(end, line);
            co_await end.finish();
            co_return co_await read_line(end, 1 << 20);
        };
        test::Running<std::string> answer(io, talk(*client, std::string(text)));
        test::Running<void> served(io, answer_admin_request(*hub, commands));
        io.restart();
        while (!served.done()) io.run_one();
        test::poll(io);
        if (!answer.done()) hub->abort(CloseReason::lost);
        test::poll(io);
        served.get();
        return answer.failure() ? "" : answer.get();
    }
};

TEST_F(AdminSessionTest, AnswersALineWithALine) {
    EXPECT_EQ(session("{\"command\": \"policy list\"}\n"), R"({"result":[]})");
}

TEST_F(AdminSessionTest, AnswersGarbageWithAnError) {
    for (const char* garbage : {"GET / HTTP/1.1\r\n\r\n", "{\n", "\xff\xfe\n", "[[[[[[[[[[\n"})
        EXPECT_THAT(session(garbage), HasSubstr("\"error\":107")) << garbage;
}

TEST_F(AdminSessionTest, AnswersALineWithoutEnd) {
    EXPECT_EQ(session("{\"command\": \"policy list\"}"), R"({"result":[]})");
}

TEST_F(AdminSessionTest, SaysNothingToThoseWhoOnlyKnock) {
    EXPECT_EQ(session(""), "");
}

TEST_F(AdminSessionTest, RefusesEndlessLines) {
    EXPECT_THROW(session(std::string(admin_request_limit + 1, 'x')), Failure);
}

}  // namespace
}  // namespace device_streams::hub
