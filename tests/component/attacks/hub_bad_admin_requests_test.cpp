#include "common/async/block_on.hpp"
#include "common/net/dial.hpp"
#include "common/net/socket_stream.hpp"
#include "hub/admin/admin_server.hpp"
#include "hub/admin/admin_session.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "tests/component/support/attack.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gmock/gmock.h>

// The admin socket, row by row. Only the hub's owner may open it, who may be wrong, or of another version.
namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

/// An admin server on a real Unix socket, over a registry with dev-01, dev-02/m and the policy `night`. Whatever a case
/// did, the next request is answered, and the registry is as it was.
class AdminSocketUnderAttack : public testing::Test {
 protected:
    AdminSocketUnderAttack() {
        block_on(registry.add({"dev-01", {}}, make_key_pair()));
        block_on(registry.add({"dev-02", {}}, CertificateAuthority{}));
        block_on(registry.add({"dev-02", "m"}, make_key_pair()));
        block_on(registry.add_policy("night", {}, make_key_pair(), {parse_allow_rule("* ssh")}));
        server.start();
        before = contents();
    }
    ~AdminSocketUnderAttack() override {
        EXPECT_EQ(tell(test::run(io, say(R"({"command":"device list"})"
                                         "\n"))),
                  "done");
        EXPECT_EQ(contents(), before);
        test::Running<void> done(io, server.stop());
        while (!done.done()) turn();
    }

    /// All that the server says to `text` until it closes.
    asio::awaitable<std::string> say(std::string text) {
        const bool cut = text.ends_with("{cut}");
        text.resize(text.size() - (cut ? 5 : 0));
        auto socket = co_await dial(endpoint, clock);
        SocketStream stream(std::move(socket));
        try {
            co_await write_text(stream, text);
            if (cut) co_await stream.finish();
        } catch (const StreamError&) {
            // It had heard enough.
        }
        co_return co_await everything(stream);
    }
    static asio::awaitable<std::string> everything(SocketStream& stream) {
        std::string answer;
        try {
            for (std::array<std::byte, 4096> room;;) {
                const auto size = co_await stream.read_some(room);
                if (size == 0) break;
                answer.append(reinterpret_cast<const char*>(room.data()), size);
            }
        } catch (const StreamError&) {
            // Cut off: what came before counts.
        }
        co_return answer;
    }
    /// "done", the number of an error, or "" for no answer.
    static std::string tell(const std::string& answer) {
        if (answer.empty()) return "";
        const auto said = json::parse(answer, nullptr, false);
        if (!answer.ends_with('\n') || !said.is_object()) return "no answer: " + answer;
        if (said.contains("result")) return "done";
        return said.at("error").dump() + (said.at("detail").get<std::string>().empty() ? ", without a word" : "");
    }
    std::string contents() {
        json all = json::array();
        for (const auto& identity : block_on(registry.list()))
            all.push_back({identity.target.to_string(), identity.enabled, identity.etag});
        for (const auto& policy : block_on(registry.list_policies()))
            all.push_back({policy.name, policy.rules.size(), policy.keys.primary.reveal()});
        return all.dump();
    }
    void turn() {
        io.restart();
        io.run_one();
    }
    /// What it got; "nothing happens" when it waits for good.
    std::string end_of(test::Running<std::string>& waiting) {
        while (!waiting.done()) {
            io.restart();
            if (io.run_one_for(20s) > 0) continue;
            waiting.cancel();
            test::poll(io);
            return "nothing happens";
        }
        return waiting.get();
    }

    asio::io_context io{1};
    test::ManualClock clock;
    SqliteRegistry registry{SqliteRegistry::in_memory, SqliteRegistry::Mode::create_new, clock};
    std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    test::ScratchFolder folder;
    Endpoint endpoint = *parse_endpoint("unix:" + folder / "admin.sock");
    AdminServer server{io.get_executor(), endpoint.path,
                       AdminCommands(registry, HubFacts{"hub1.example.com", "https://hub1.example.com:443"}), clock,
                       Log(lines)};
    std::string before;
};

class HubBadAdminRequest : public AdminSocketUnderAttack, public testing::WithParamInterface<Attack> {};

TEST_P(HubBadAdminRequest, IsAnsweredAndChangesNothing) {
    EXPECT_EQ(tell(test::run(io, say(GetParam().sent))), GetParam().told);
}

/// A request of these members, as a line.
std::string line(const std::string& members) {
    return "{" + members + "}\n";
}
std::string command(const std::string& name, const std::string& members = "") {
    return line(R"("command":")" + name + "\"" + (members.empty() ? "" : "," + members));
}
std::string device(const std::string& verb, const std::string& members = R"("device":"dev-01")") {
    return command("device " + verb, members);
}
std::string policy(const std::string& verb, const std::string& members = "") {
    return command("policy " + verb, R"("name":"night")" + (members.empty() ? "" : "," + members));
}
std::string explain(const std::string& at) {
    return policy("explain", R"("device":"dev-01","service":"ssh","at":)" + at);
}

const std::string list = command("device list");
const std::string refused = "107";
const std::string exists = "609";
const std::string unknown = "610";

std::string spaces_up_to(std::size_t size) {
    return std::string(size - list.size(), ' ') + list;
}

// The line.

const Attack lines_of_bytes[] = {
    {"nothing", "{cut}", ""},
    {"a_line_feed_alone", "\n", ""},
    {"half_a_request", R"({"command": "device{cut})", refused},
    {"no_line_feed_but_the_end", list.substr(0, list.size() - 1) + "{cut}", "done"},
    {"carriage_return", list.substr(0, list.size() - 1) + "\r\n", "done"},
    {"two_requests", list + list, "done"},
    {"a_request_behind_nothing", "\n" + list, ""},
    {"the_longest_line", spaces_up_to(admin_request_limit + 1), "done"},
    {"one_byte_too_long", spaces_up_to(admin_request_limit + 2), ""},
    {"a_mebibyte_without_line_feed", std::string(1024 * 1024, ' ') + "{cut}", ""},
    {"zeros", std::string(100, '\0') + "\n", refused},
    {"zero_in_a_string", raw("{\"command\":\"device\0list\"}\n"), refused},
    {"tls", raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n"), refused},
    {"http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", refused},
    {"no_utf8", line("\"command\":\"device list\",\"x\":\"\xff\xfe\""), refused},
    {"overlong_utf8", line("\"command\":\"device list\",\"x\":\"\xc0\x80\""), refused},
    {"byte_order_mark_alone", "\xef\xbb\xbf\n", refused},
};
INSTANTIATE_TEST_SUITE_P(Lines, HubBadAdminRequest, testing::ValuesIn(lines_of_bytes), attack_name);

// The JSON.

const Attack values[] = {
    {"word", "device list\n", refused},
    {"null", "null\n", refused},
    {"number", "7\n", refused},
    {"text", "\"device list\"\n", refused},
    {"array", "[" + list.substr(0, list.size() - 1) + "]\n", refused},
    {"empty_object", "{}\n", refused},
    {"open_object", "{\"command\":\"device list\"\n", refused},
    {"something_behind_the_object", list.substr(0, list.size() - 1) + " x\n", refused},
    {"two_objects", list.substr(0, list.size() - 1) + list, refused},
    {"single_quotes", "{'command':'device list'}\n", refused},
    {"comma_too_many", line(R"("command":"device list",)"), refused},
    {"comment", line(R"("command":"device list"/**/)"), refused},
    {"lone_surrogate", line(R"("command":"device list","x":"\ud800")"), refused},
    {"endless_number", line(R"("command":"device list","x":1e999)"), refused},
    {"deep", std::string(60'000, '[') + "\n", refused},
    {"deep_and_closed", line(R"("command":)" + std::string(30'000, '[') + std::string(30'000, ']')), refused},
    {"deep_in_a_good_request",
     line(R"("command":"device list","x":)" + std::string(30'000, '[') + std::string(30'000, ']')), "done"},
    {"command_said_twice", line(R"("command":"device remove","command":"device list","device":"dev-01")"), "done"},
};
INSTANTIATE_TEST_SUITE_P(Values, HubBadAdminRequest, testing::ValuesIn(values), attack_name);

// The command.

const Attack commands[] = {
    {"number", line(R"("command":1)"), refused},
    {"null", line(R"("command":null)"), refused},
    {"array", line(R"("command":["device","list"])"), refused},
    {"object", line(R"("command":{"device":"list"})"), refused},
    {"empty", command(""), refused},
    {"space", command(" "), refused},
    {"noun_alone", command("device"), refused},
    {"unknown_noun", command("registry drop"), refused},
    {"unknown_verb", device("explode"), refused},
    {"unknown_verb_of_policies", policy("explode"), refused},
    {"capitals", command("DEVICE LIST"), refused},
    {"two_spaces", command("device  list"), refused},
    {"space_behind", command("device list "), refused},
    {"verb_with_more", device("remove now"), refused},
    {"long", command(std::string(60'000, 'x')), refused},
    {"streams_without_a_hub", command("streams list"), "608"},
    {"quota_without_a_hub", command("quota"), "608"},
    {"reload_without_a_hub", command("reload"), "608"},
};
INSTANTIATE_TEST_SUITE_P(Commands, HubBadAdminRequest, testing::ValuesIn(commands), attack_name);

// Devices.

const Attack devices[] = {
    {"add_nothing", device("add", ""), refused},
    {"add_number", device("add", R"("device":1)"), refused},
    {"add_null", device("add", R"("device":null)"), refused},
    {"add_empty", device("add", R"("device":"")"), refused},
    {"add_path", device("add", R"("device":"../new")"), refused},
    {"add_line_feed", device("add", R"("device":"new\n")"), refused},
    {"add_zero", device("add", R"("device":"new\u0000")"), refused},
    {"add_umlaut", device("add", R"("device":"n\u00e4u")"), refused},
    {"add_long", device("add", R"("device":")" + std::string(129, 'x') + "\""), refused},
    {"add_twice", device("add"), exists},
    {"add_module_number", device("add", R"("device":"dev-01","module":1)"), refused},
    {"add_module_path", device("add", R"("device":"dev-01","module":"a/b")"), refused},
    {"add_module_of_nobody", device("add", R"("device":"new","module":"m")"), unknown},
    {"add_module_twice", device("add", R"("device":"dev-02","module":"m")"), exists},
    {"add_thumbprint_number", device("add", R"("device":"new","thumbprint":1)"), refused},
    {"add_thumbprint_text", device("add", R"("device":"new","thumbprint":"mine")"), refused},
    {"add_thumbprint_short", device("add", R"("device":"new","thumbprint":"00112233")"), refused},
    {"add_keys_and_authority", device("add", R"("device":"new","keys":true,"authority":true)"), refused},
    {"add_authority_text", device("add", R"("device":"new","authority":"yes")"), refused},
    {"show_nobody", device("show", R"("device":"new")"), unknown},
    {"show_array", device("show", R"("device":["dev-01"])"), refused},
    {"remove_nothing", device("remove", ""), refused},
    {"remove_all", device("remove", R"("device":"*")"), unknown},
    {"remove_pattern", device("remove", R"("device":"dev-%")"), unknown},
    {"remove_quote", device("remove", R"("device":"' OR 1=1 --")"), unknown},
    {"remove_module_null", device("remove", R"("device":"dev-02","module":null)"), refused},
    {"remove_module_of_nobody", device("remove", R"("device":"dev-01","module":"m")"), unknown},
    {"disable_nobody", device("disable", R"("device":"new")"), unknown},
    {"enable_nobody", device("enable", R"("device":"new")"), unknown},
    {"update_nobody", device("update", R"("device":"new","keys":true)"), unknown},
    {"update_with_both", device("update", R"("device":"dev-01","keys":true,"thumbprint":"")"), refused},
    {"update_keys_text", device("update", R"("device":"dev-01","keys":"new")"), refused},
    {"renew_nobody", device("renew-key", R"("device":"new")"), unknown},
    {"renew_third_key", device("renew-key", R"("device":"dev-01","key":"tertiary")"), refused},
    {"renew_key_number", device("renew-key", R"("device":"dev-01","key":2)"), refused},
    {"renew_key_of_a_certificate", device("renew-key", R"("device":"dev-02")"), refused},
};
INSTANTIATE_TEST_SUITE_P(Devices, HubBadAdminRequest, testing::ValuesIn(devices), attack_name);

// Policies.

const Attack policies[] = {
    {"show_without_name", command("policy show"), refused},
    {"show_nobody", command("policy show", R"("name":"day")"), unknown},
    {"add_without_permissions", command("policy add", R"("name":"day")"), refused},
    {"add_permission_text", command("policy add", R"("name":"day","permissions":"RegistryRead")"), refused},
    {"add_permission_number", command("policy add", R"("name":"day","permissions":[1])"), refused},
    {"add_permission_unknown", command("policy add", R"("name":"day","permissions":["Everything"])"), refused},
    {"add_name_empty", command("policy add", R"("name":"","permissions":[])"), refused},
    {"add_name_line_feed", command("policy add", R"("name":"a\nb","permissions":[])"), refused},
    {"add_name_long", command("policy add", R"("name":")" + std::string(300, 'x') + R"(","permissions":[])"), refused},
    {"add_twice", policy("add", R"("permissions":[])"), exists},
    {"add_rule_text", command("policy add", R"("name":"day","permissions":[],"allow":"* ssh")"), refused},
    {"add_rule_malformed", command("policy add", R"("name":"day","permissions":[],"allow":["* ssh","*"])"), refused},
    {"allow_nothing", policy("allow"), refused},
    {"allow_number", policy("allow", R"("rule":1)"), refused},
    {"allow_empty", policy("allow", R"("rule":"")"), refused},
    {"allow_malformed", policy("allow", R"("rule":"* ssh sometimes")"), refused},
    {"allow_long", policy("allow", R"("rule":"* )" + std::string(60'000, 's') + "\""), refused},
    {"allow_to_nobody", command("policy allow", R"("name":"day","rule":"* ssh")"), unknown},
    {"disallow_nothing", policy("disallow"), refused},
    {"disallow_unknown", policy("disallow", R"("rule":"99")"), unknown},
    {"disallow_negative", policy("disallow", R"("rule":"-1")"), refused},
    {"renew_third_key", policy("renew-key", R"("key":"both")"), refused},
    {"renew_nobody", command("policy renew-key", R"("name":"day")"), unknown},
    {"remove_nobody", command("policy remove", R"("name":"day")"), unknown},
    {"remove_array", command("policy remove", R"("name":["night"])"), refused},
    {"explain_without_time", policy("explain", R"("device":"dev-01","service":"ssh")"), refused},
    {"explain_time_text", explain("\"now\""), refused},
    {"explain_time_fraction", explain("1.5"), refused},
    {"explain_time_enormous", explain("1e300"), refused},
    {"explain_latest_time", explain("9223372036854775807"), refused},
    {"explain_earliest_time", explain("-9223372036854775808"), refused},
    {"explain_time_beyond_64_bits", explain("18446744073709551615"), refused},
    {"explain_service_number", policy("explain", R"("device":"dev-01","service":1,"at":0)"), refused},
    {"explain_nobody", command("policy explain", R"("name":"day","device":"a","service":"b","at":0)"), unknown},
};
INSTANTIATE_TEST_SUITE_P(Policies, HubBadAdminRequest, testing::ValuesIn(policies), attack_name);

// Time.

class HubSlowAdmin : public AdminSocketUnderAttack {
 protected:
    /// Sends `begin` and waits for the end, while time passes.
    std::string wait_it_out(std::string begin) {
        auto waiting = std::make_unique<test::Running<std::string>>(io, say(std::move(begin)));
        while (clock.sleepers() == 0) turn();
        test::poll(io);
        clock.advance(AdminServer::request_timeout - 1ms);
        test::poll(io);
        EXPECT_FALSE(waiting->done());
        clock.advance(1ms);
        return end_of(*waiting);
    }
};

TEST_F(HubSlowAdmin, RequestThatNeverComesIsEnded) {
    EXPECT_EQ(wait_it_out(""), "");
}

TEST_F(HubSlowAdmin, RequestThatNeverEndsIsEnded) {
    EXPECT_EQ(wait_it_out(R"({"command": "device remove", "device": "dev-01")"), "");
}

TEST_F(HubSlowAdmin, OneThatWaitsHoldsNobodyUp) {
    std::vector<std::unique_ptr<test::Running<std::string>>> waiting;
    for (int i = 0; i < 20; ++i) waiting.push_back(std::make_unique<test::Running<std::string>>(io, say("{")));
    test::poll(io);
    EXPECT_EQ(tell(test::run(io, say(list))), "done");
    clock.advance(AdminServer::request_timeout);
    for (const auto& one : waiting) EXPECT_EQ(end_of(*one), "");
}

TEST_F(AdminSocketUnderAttack, LineThatIsTooLongIsReported) {
    EXPECT_EQ(test::run(io, say(std::string(2 * admin_request_limit, 'x'))), "");
    EXPECT_TRUE(lines->contains("DS-603")) << lines->lines().size();
}

}  // namespace
}  // namespace device_streams::hub
