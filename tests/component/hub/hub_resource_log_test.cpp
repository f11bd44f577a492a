#include "tests/component/support/hub_fixture.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

// The resource log of a hub that runs: every decision and every end, whatever happens to the file.
namespace device_streams::hub {
namespace {

using nlohmann::json;

class HubResourceLog : public HubTest {
 protected:
    HubResourceLog() : path(certificates.ca_file + ".records") { config.resource_log = path; }

    struct Record {
        json whole, properties;
    };
    std::vector<Record> records(const std::string& file) const {
        std::vector<Record> all;
        std::ifstream lines_of_file(file);
        for (std::string line; std::getline(lines_of_file, line);) {
            auto whole = json::parse(line);
            auto properties = json::parse(whole.at("properties").get<std::string>());
            all.push_back({std::move(whole), std::move(properties)});
        }
        return all;
    }
    // The writer has a thread of its own.
    std::vector<Record> records_when_there_are(std::size_t count) const {
        EXPECT_TRUE(test::eventually([&] { return records(path).size() >= count; }));
        EXPECT_EQ(records(path).size(), count);
        return records(path);
    }
    Record only_record() const {
        const auto all = records_when_there_are(1);
        return all.empty() ? Record{} : all.front();
    }
    void use(const std::string& file) {
        config.resource_log = file;
        stream_hub().apply(config);
    }

    std::string path;
};

TEST_F(HubResourceLog, TellsAStreamFromItsDevicesLoginToItsEnd) {
    start_hub();
    {
        const auto device = online_device();
        const auto service = service_client();
        const auto legs = joined_stream(*device, *service);
        run(legs.service->send(ws::Opcode::binary, "hello"));
        EXPECT_EQ(run(legs.device->receive_data(5)), "hello");
        run(legs.service->send_close(1000));
        EXPECT_EQ(run(legs.device->close_code()), 1000);
        EXPECT_TRUE(eventually_logged("stream ended"));
    }
    const auto all = records_when_there_are(4);
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[0].whole.at("operationName"), "deviceConnect");
    EXPECT_EQ(all[0].properties.at("maskedIpAddress"), "127.0.0.XXX");
    EXPECT_EQ(all[0].properties.at("authType"), R"({"scope":"device","type":"sas","issuer":"iothub"})");
    EXPECT_EQ(all[1].whole.at("operationName"), "invoke");
    EXPECT_EQ(all[1].whole.at("level"), "Information");
    EXPECT_EQ(all[1].properties.at("requestName"), "ssh.0a1b2c3d");
    EXPECT_EQ(all[2].whole.at("operationName"), "streamEnd");
    EXPECT_EQ(all[2].properties.at("streamId"), all[1].properties.at("streamId"));
    EXPECT_EQ(all[2].properties.at("requestSize"), "5");
    EXPECT_EQ(all[2].properties.at("closeReason"), "closed by the service");
    EXPECT_EQ(all[3].whole.at("operationName"), "deviceDisconnect");
    EXPECT_EQ(all[3].whole.at("resultType"), "404104");
}

TEST_F(HubResourceLog, TellsARenewalFromASecondMachine) {
    start_hub();
    const auto options = device_proxy_options();
    const auto first = online_device(options);
    const auto renewed = online_device(options);
    const auto other_machine = online_device();
    std::vector<Record> ends;
    for (auto& record : records_when_there_are(5))
        if (record.whole.at("operationName") == "deviceDisconnect") ends.push_back(std::move(record));
    ASSERT_EQ(ends.size(), 2u);
    EXPECT_EQ(ends[0].whole.at("level"), "Information");
    EXPECT_EQ(ends[0].whole.at("resultType"), "");
    EXPECT_EQ(ends[1].whole.at("level"), "Error");
    EXPECT_EQ(ends[1].whole.at("resultType"), "400027");
}

TEST_F(HubResourceLog, TellsDenials) {
    start_hub();
    EXPECT_EQ(run(service_client()->ask("no-such-device", "ssh.0a1b2c3d")).status, 404);
    EXPECT_EQ(only_record().whole.at("resultType"), "404001");
    EXPECT_EQ(only_record().properties.at("statusCode"), "404");
    EXPECT_EQ(only_record().properties.at("deviceId"), "no-such-device");
}

TEST_F(HubResourceLog, TellsOfARefusedService) {
    start_hub();
    hub_clients::ServiceClient stranger(address, Secret("SharedAccessSignature sr=localhost"));
    EXPECT_EQ(run(stranger.ask("dev-01", "ssh.0a1b2c3d")).status, 401);
    EXPECT_EQ(only_record().whole.at("resultType"), "401002");
}

TEST_F(HubResourceLog, TellsOfARejectionByTheDevice) {
    start_hub();
    const auto device = online_device();
    const auto service = service_client();
    auto asking = start(service->ask("dev-01", "ssh.0a1b2c3d"));
    run(device->answer(400, run(device->next_request()).request_id));
    finish(asking);
    const auto all = records_when_there_are(2);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[1].whole.at("resultDescription"), "Rejected");
}

TEST_F(HubResourceLog, TellsOfAGrantedStreamWhoseLegsNeverMet) {
    config.limits.pairing.handshake_timeout = 300ms;
    start_hub();
    const auto device = online_device();
    const auto service = service_client();
    open_stream(*device, *service);
    const auto all = records_when_there_are(3);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[2].whole.at("operationName"), "streamEnd");
    EXPECT_EQ(all[2].whole.at("level"), "Error");
    EXPECT_EQ(all[2].properties.at("closeReason"), "no leg came before the deadline");
    EXPECT_EQ(all[2].whole.at("resultType"), "504101");
}

TEST_F(HubResourceLog, TellsOfARefusedLogin) {
    start_hub();
    auto options = device_options();
    options.token = device_token(options.target, make_key_pair().primary);
    hub_clients::DeviceClient device(address, options);
    EXPECT_EQ(run(device.log_in()), 5);
    EXPECT_EQ(only_record().whole.at("operationName"), "deviceConnect");
    EXPECT_EQ(only_record().whole.at("resultType"), "401003");
    EXPECT_EQ(only_record().whole.at("level"), "Error");
}

TEST_F(HubResourceLog, GoesOnInANewFileAfterRotation) {
    start_hub();
    const auto service = service_client();
    EXPECT_EQ(run(service->ask("one", "ssh.0a1b2c3d")).status, 404);
    records_when_there_are(1);
    std::filesystem::rename(path, path + ".1");
    EXPECT_EQ(run(service->ask("two", "ssh.0a1b2c3d")).status, 404);
    EXPECT_TRUE(test::eventually([&] { return records(path + ".1").size() == 2; }));
    stream_hub().apply(config);
    EXPECT_EQ(run(service->ask("three", "ssh.0a1b2c3d")).status, 404);
    EXPECT_EQ(only_record().properties.at("deviceId"), "three");
}

TEST_F(HubResourceLog, FullDiskStopsNoStream) {
    config.resource_log = "/dev/full";
    start_hub();
    const auto device = online_device();
    const auto service = service_client();
    for (int i = 0; i < 3; ++i) {
        const auto legs = joined_stream(*device, *service);
        run(legs.service->send(ws::Opcode::binary, "alive"));
        EXPECT_EQ(run(legs.device->receive_data(5)), "alive");
    }
    EXPECT_TRUE(eventually_logged("DS-621")) << whole_log();
    use(path);
    EXPECT_EQ(run(service->ask("no-such-device", "ssh.0a1b2c3d")).status, 404);
    EXPECT_TRUE(eventually_logged("the resource log is written again")) << whole_log();
}

}  // namespace
}  // namespace device_streams::hub
