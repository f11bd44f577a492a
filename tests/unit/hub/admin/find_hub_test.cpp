#include "common/base/error.hpp"
#include "hub/admin/command_line.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using ::testing::HasSubstr;

const std::string good =
    "name: hub1\npublic_url: https://hub1.example.com\ncertificate: hub.pem\nkey: hub.key\nstate_directory: state\n";

class FindHub : public testing::Test {
 protected:
    FindHub() {
        defaults.config = folder / "none.yaml";
        defaults.state_directory = folder / "none";
    }
    std::string state_of(const std::string& text) {
        return location_in(folder.write("stream-hub.yaml", text)).state.path.string();
    }
    std::string failure_of(const std::string& text) {
        try {
            state_of(text);
        } catch (const Failure& failure) {
            return failure.detail();
        }
        return {};
    }

    test::ScratchFolder folder;
    HubDefaults defaults;
};

TEST_F(FindHub, TakesFromItsConfigurationWhatItNeeds) {
    const auto hub = location_in(folder.write("stream-hub.yaml", good + "admin_socket: here.sock\n"));
    EXPECT_EQ(hub.state.path, folder / "state");
    EXPECT_EQ(hub.admin_socket, folder / "here.sock");
    EXPECT_EQ(hub.facts.host_name, "hub1.example.com");
    EXPECT_EQ(location_in(folder.write("stream-hub.yaml", good)).admin_socket, folder / "state/admin.sock");
}

// The hub that runs may have been started with a file that has been changed since, or with another environment.
TEST_F(FindHub, DoesNotMindWhatIsWrongElsewhere) {
    for (const auto* wrong : {"key: $NO_SUCH_VARIABLE/hub.key\n", "lisen: x\n", "listen: x\n", "limits: 5\n"})
        EXPECT_EQ(state_of("name: h\npublic_url: https://h\nstate_directory: state\n" + std::string(wrong)),
                  folder / "state")
            << wrong;
    EXPECT_THAT(failure_of("public_url: https://h\nstate_directori: state\n"), HasSubstr("state_directory: missing"));
    EXPECT_THAT(failure_of("public_url: https://h\nstate_directory: [a]\n"), HasSubstr("yaml:2:18 state_directory: "));
    EXPECT_THAT(failure_of("public_url: [\n"), HasSubstr("stream-hub.yaml:"));
}

TEST_F(FindHub, LooksAtTheEnvironmentThenAtTheInstalledConfigurationThenForARunningHub) {
    EXPECT_FALSE(default_config(defaults));
    EXPECT_THROW(find_hub({}, defaults), Failure);

    defaults.state_directory = folder / "running";
    std::filesystem::create_directory(defaults.state_directory);
    EXPECT_THROW(find_hub({}, defaults), Failure);
    folder.write("running/admin.sock", "");
    EXPECT_EQ(find_hub({}, defaults).state.path, defaults.state_directory);

    defaults.config = folder.write("installed.yaml", good);
    EXPECT_EQ(default_config(defaults), defaults.config);
    EXPECT_EQ(find_hub({}, defaults).state.path, folder / "state");

    defaults.config_of_environment = folder / "named.yaml";
    EXPECT_EQ(default_config(defaults), folder / "named.yaml");
    EXPECT_THROW(find_hub({}, defaults), Failure) << "what is named must be there";
}

TEST_F(FindHub, StateDirectoryComesFirst) {
    defaults.config = folder.write("installed.yaml", good);
    EXPECT_EQ(find_hub(folder / "other", defaults).state.path, folder / "other");
}

}  // namespace
}  // namespace device_streams::hub
