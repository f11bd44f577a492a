#include "hub/admin/admin_client.hpp"
#include "hub/admin/admin_session.hpp"
#include "tests/component/support/hub_fixture.hpp"

// What a running hub takes over when its configuration is read again.
namespace device_streams::hub {
namespace {

class HubReload : public HubTest {
 protected:
    HubReload() {
        config.limits.presence.offline_grace = 30s;
        config.admin_socket = certificates.folder / "admin.sock";
        start_hub();
    }
    void apply() {
        hub->on_control([this](StreamHub& running) { running.apply(config); });
    }
    std::string ask_admin(const std::string& command) {
        const Endpoint socket{.host = {}, .port = 0, .path = config.admin_socket};
        return run(ask_running_hub(socket, {{"command", command}, {"device", "dev-02"}}, clock)).value().dump();
    }
};

TEST_F(HubReload, TakesANewCertificate) {
    const test::TestCertificates other({"localhost"});
    config.certificate = other.certificate_file;
    config.key = other.key_file;
    apply();
    EXPECT_ANY_THROW(run(hub_clients::dial_tls(address, address.port)));
    address.tls = TlsContext::client(other.ca_file);
    online_device();
}

TEST_F(HubReload, ReadsTheFilesOfItsCertificateAgain) {
    const test::TestCertificates other({"localhost"});
    std::filesystem::copy_file(other.certificate_file, config.certificate,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(other.key_file, config.key, std::filesystem::copy_options::overwrite_existing);
    apply();
    address.tls = TlsContext::client(other.ca_file);
    online_device();
}

TEST_F(HubReload, UnusableCertificateLeavesAllAsItWas) {
    config.certificate = "/nowhere";
    config.host_name = "other.example";
    EXPECT_THROW(apply(), Failure);
    online_device();
}

TEST_F(HubReload, TakesANewGraceForLostDevices) {
    config.limits.presence.offline_grace = 0s;
    apply();
    online_device()->vanish();
    ASSERT_TRUE(eventually_logged("device link down"));
    const auto asked = clock.now();
    EXPECT_EQ(run(service_client()->ask("dev-01", "ssh.0a1b2c3d", no_wait)).status, 404);
    EXPECT_LT(clock.now() - asked, 15s);
}

TEST_F(HubReload, CommandLineHearsOfNewNames) {
    config.host_name = "other.example";
    config.public_url = {.host = "streams.example", .port = 444, .path = {}};
    apply();
    EXPECT_NE(ask_admin("device add").find("HostName=other.example;"), std::string::npos);
    EXPECT_NE(ask_admin("devicestream show").find("https://streams.example:444"), std::string::npos);
}

}  // namespace
}  // namespace device_streams::hub
