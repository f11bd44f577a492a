#include "tests/component/support/hub_fixture.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

// The identity registry over REST, and what its changes do to what runs.
namespace device_streams::hub {
namespace {

using hub_clients::HubAddress;
using nlohmann::json;
using testing::ElementsAre;

/// A service that manages identities, each request on a connection of its own.
class RegistryClient {
 public:
    RegistryClient(const HubAddress& address, Secret token) : address_(address), token_(std::move(token)) {}

    asio::awaitable<http::Response> ask(std::string method, std::string target, std::string body, std::string etag) {
        auto transport = co_await hub_clients::dial_tls(address_, address_.port);
        http::Connection connection(std::move(transport));
        http::Request request;
        request.method = std::move(method);
        request.target = target + (target.find('?') == std::string::npos ? "?" : "&") + "api-version=2021-04-12";
        request.headers.add("Host", address_.host);
        request.headers.add("Authorization", std::string(token_.reveal()));
        if (!etag.empty()) request.headers.add("If-Match", std::move(etag));
        request.headers.add("Content-Length", std::to_string(body.size()));
        request.body = std::move(body);
        auto response = co_await connection.exchange(std::move(request));
        co_return response;
    }

 private:
    const HubAddress& address_;
    Secret token_;
};

class HubRegistry : public HubTest {
 protected:
    HubRegistry() {
        start_hub();
        token = policy_token("registry", {.registry_read = true, .registry_write = true});
    }
    Secret policy_token(const std::string& name, Permissions permissions) {
        const auto made = background.wait_for(stream_hub().registry().add_policy(name, permissions, make_key_pair()));
        return iothub::make_sas_token("localhost", made.keys.primary, clock.unix_seconds() + 3600, name);
    }
    http::Response ask(const std::string& method, const std::string& path, const json& body = nullptr,
                       const std::string& etag = "") {
        RegistryClient client(address, token);
        return run(client.ask(method, path, body.is_null() ? "" : body.dump(), etag));
    }
    json told(const std::string& method, const std::string& path, const json& body = nullptr,
              const std::string& etag = "") {
        const auto response = ask(method, path, body, etag);
        EXPECT_EQ(response.status, 200) << response.body;
        return json::parse(response.body);
    }
    json device(const std::string& path = "/devices/dev-01") { return told("GET", path); }
    static Secret primary_key(const json& identity) {
        return Secret(identity["authentication"]["symmetricKey"]["primaryKey"].get<std::string>());
    }
    int code_for(const iothub::Target& target, const Secret& key) {
        auto options = device_options();
        options.target = target;
        options.token = device_token(target, key);
        return run(hub_clients::DeviceClient(address, options).log_in());
    }
    std::vector<std::string> names_in(const std::string& path, const char* id) {
        std::vector<std::string> names;
        for (const auto& identity : told("GET", path)) names.push_back(identity[id]);
        return names;
    }

    Secret token;
};

TEST_F(HubRegistry, CreatedDeviceLogsInWithTheKeysThatWereMade) {
    const auto created = told("PUT", "/devices/new-01", {{"deviceId", "new-01"}});
    EXPECT_EQ(created["status"], "enabled");
    EXPECT_EQ(code_for({"new-01", {}}, primary_key(created)), 0);
    EXPECT_TRUE(eventually_logged("an identity was created through the registry")) << whole_log();
    EXPECT_TRUE(logged("policy=registry"));
    EXPECT_FALSE(logged(primary_key(created).reveal()));
}

TEST_F(HubRegistry, CreatedModuleLogsInWithTheKeysThatWereGiven) {
    const std::string key = "MDEyMzQ1Njc4OWFiY2RlZg==";
    told("PUT", "/devices/dev-01/modules/m",
         {{"authentication", {{"symmetricKey", {{"primaryKey", key}, {"secondaryKey", key}}}}}});
    EXPECT_EQ(code_for({"dev-01", "m"}, Secret(key)), 0);
    EXPECT_THAT(names_in("/devices/dev-01/modules", "moduleId"), ElementsAre("m"));
}

TEST_F(HubRegistry, AnswerCarriesTheEtagOfTheIdentity) {
    const auto response = ask("GET", "/devices/dev-01");
    EXPECT_EQ(response.headers.find("ETag"), "\"" + json::parse(response.body)["etag"].get<std::string>() + "\"");
}

TEST_F(HubRegistry, OnlyThePresentVersionIsReplaced) {
    const auto etag = device()["etag"].get<std::string>();
    const auto changed = told("PUT", "/devices/dev-01", {{"statusReason", "first"}}, "\"" + etag + "\"");
    EXPECT_NE(changed["etag"], etag);
    EXPECT_EQ(changed["generationId"], device()["generationId"]);
    const auto late = ask("PUT", "/devices/dev-01", {{"statusReason", "second"}}, "\"" + etag + "\"");
    EXPECT_EQ(late.status, 412);
    EXPECT_EQ(json::parse(late.body)["Message"], "ErrorCode:PreconditionFailed;the identity has another etag now");
    EXPECT_EQ(device()["statusReason"], "first");
}

TEST_F(HubRegistry, ListsTheFirstDevices) {
    for (const char* id : {"b", "a"}) told("PUT", std::string("/devices/") + id, json::object());
    EXPECT_THAT(names_in("/devices", "deviceId"), ElementsAre("a", "b", "dev-01"));
    EXPECT_THAT(names_in("/devices/?top=2", "deviceId"), ElementsAre("a", "b"));
}

TEST_F(HubRegistry, TellsWhoIsConnected) {
    EXPECT_EQ(device()["connectionState"], "Disconnected");
    const auto online = online_device();
    EXPECT_EQ(device()["connectionState"], "Connected");
    EXPECT_EQ(told("GET", "/devices")[0]["connectionState"], "Connected");
}

TEST_F(HubRegistry, DisablingADeviceCutsItsLinkAndStreams) {
    const auto online = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*online, *service);
    told("PUT", "/devices/dev-01", {{"status", "disabled"}, {"statusReason", "stolen"}}, "*");
    EXPECT_EQ(run(legs.service->close_code()), 1008);
    EXPECT_EQ(run(legs.device->close_code()), 1008);
    EXPECT_TRUE(run(online->is_dropped()));
    EXPECT_EQ(device()["status"], "disabled");
}

TEST_F(HubRegistry, RemovingADeviceCutsItsStreamsAndThoseOfItsModules) {
    const auto module = told("PUT", "/devices/dev-01/modules/m", json::object());
    auto options = device_options();
    options.target = {"dev-01", "m"};
    options.token = device_token(options.target, primary_key(module));
    const auto online_module = online_device(options);
    const auto online = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*online, *service);
    EXPECT_EQ(ask("DELETE", "/devices/dev-01", nullptr, "\"*\"").status, 204);
    EXPECT_EQ(run(legs.service->close_code()), 1008);
    EXPECT_TRUE(run(online->is_dropped()));
    EXPECT_TRUE(run(online_module->is_dropped()));
    EXPECT_EQ(ask("GET", "/devices/dev-01").status, 404);
}

TEST_F(HubRegistry, ReplacingTheKeysCutsTheStreamsOfTheOldOnes) {
    const auto online = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*online, *service);
    const auto changed = told("PUT", "/devices/dev-01", json::object(), "*");
    EXPECT_EQ(run(legs.service->close_code()), 1008);
    EXPECT_EQ(code_for({"dev-01", {}}, device_key), 5);
    EXPECT_EQ(code_for({"dev-01", {}}, primary_key(changed)), 0);
}

TEST_F(HubRegistry, ReplacingADeviceByItselfCutsNothing) {
    const auto online = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*online, *service);
    auto same = device();
    same["statusReason"] = "looked at";
    told("PUT", "/devices/dev-01", same, "*");
    run(legs.service->send(ws::Opcode::binary, "alive"));
    EXPECT_EQ(run(legs.device->receive_data(5)), "alive");
}

TEST_F(HubRegistry, StrangersAreToldTheSameOfAllDevices) {
    const auto stranger = policy_token("streams", {.service_connect = true});
    for (const auto& other :
         {Secret(), Secret("SharedAccessSignature sr=localhost&sig=YQ==&se=4000000000&skn=registry")}) {
        token = other;
        const auto known = ask("GET", "/devices/dev-01"), unknown = ask("GET", "/devices/nobody");
        EXPECT_EQ(known.status, 401);
        EXPECT_EQ(unknown.status, 401);
        EXPECT_EQ(json::parse(known.body)["Message"], json::parse(unknown.body)["Message"]);
        EXPECT_EQ(ask("PUT", "/devices/dev-01", json::object()).status, 401);
    }
    token = stranger;
    EXPECT_EQ(json::parse(ask("GET", "/devices/dev-01").body)["Message"],
              "ErrorCode:IotHubUnauthorizedAccess;the policy does not permit RegistryRead");
}

TEST_F(HubRegistry, ReadingAndWritingAreDifferentPermissions) {
    token = policy_token("reader", {.registry_read = true});
    EXPECT_EQ(ask("GET", "/devices/dev-01").status, 200);
    EXPECT_EQ(ask("DELETE", "/devices/dev-01", nullptr, "*").status, 401);
    token = policy_token("writer", {.registry_write = true});
    EXPECT_EQ(ask("GET", "/devices/dev-01").status, 401);
    EXPECT_EQ(ask("DELETE", "/devices/dev-01", nullptr, "*").status, 204);
}

}  // namespace
}  // namespace device_streams::hub
