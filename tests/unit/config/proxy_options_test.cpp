#include "common/config/proxy_options.hpp"

#include "common/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace device_streams::proxy_options_test {
namespace {

struct Config {
    HubSettings hub;
};

struct ProxyOptionsTest : testing::Test {
    ProxyOptionsTest() { add_proxy_options(table); }
    Config load(const std::string& hub_lines, std::map<std::string, std::string> environment = {}) {
        const auto text = hub_lines.empty() ? "" : "hub: {" + hub_lines + "}\n";
        return table.load({.text = text, .base = folder, .flags = {}, .environment = std::move(environment)});
    }
    std::string fault(const std::string& hub_lines, std::map<std::string, std::string> environment = {}) {
        try {
            load(hub_lines, std::move(environment));
            return "";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.errc(), Errc::config_invalid);
            EXPECT_EQ(failure.detail().find("sesame"), std::string::npos) << failure.detail();
            return failure.detail();
        }
    }
    std::string file(const std::string& name, const std::string& content) {
        std::ofstream(folder + "/" + name) << content;
        return name;
    }

    OptionTable<Config> table{"tester", "Tests."};
    std::string folder = testing::TempDir();
};

TEST_F(ProxyOptionsTest, ThereIsNoProxyUnlessSomethingNamesOne) {
    EXPECT_FALSE(load("").hub.http_proxy);
}

TEST_F(ProxyOptionsTest, TheFileNamesAProxy) {
    const auto hub = load("http_proxy: 'http://anna:open%20sesame@proxy:3128', no_proxy: 10.0.0.0/8").hub;
    EXPECT_EQ(hub.http_proxy->to_string(), "http://proxy:3128");
    EXPECT_EQ(hub.http_proxy->credentials, Secret("anna:open sesame"));
    EXPECT_TRUE(hub.no_proxy.covers("10.1.2.3"));
}

TEST_F(ProxyOptionsTest, CredentialsComeFromAFile) {
    const auto name = file("proxy.credentials", "anna:open:sesame \n");
    const auto lines = "http_proxy: 'http://proxy:3128', http_proxy_credentials_file: " + name;
    EXPECT_EQ(load(lines).hub.http_proxy->credentials, Secret("anna:open:sesame"));
}

TEST_F(ProxyOptionsTest, FaultsAreToldWithoutSecrets) {
    EXPECT_THAT(
        fault("http_proxy: 'socks4://anna:sesame@proxy'"),
        testing::StartsWith("config:1:19 hub.http_proxy: the proxy's scheme is not http, https or socks5h, allowed: "));
    EXPECT_THAT(fault("http_proxy: 'http://a:sesame@proxy', http_proxy_credentials_file: x"),
                testing::HasSubstr("one of the two"));
    EXPECT_THAT(fault("http_proxy_credentials_file: x"), testing::HasSubstr("together with hub.http_proxy"));
    EXPECT_THAT(fault("http_proxy: 'http://proxy', http_proxy_ca_file: x"),
                testing::HasSubstr("with an https:// proxy"));
    EXPECT_THAT(fault("http_proxy: 'https://proxy', http_proxy_ca_file: nowhere.pem"),
                testing::HasSubstr("cannot be read"));
    const std::string from = "http_proxy: 'http://proxy', http_proxy_credentials_file: ";
    EXPECT_THAT(fault(from + "nowhere"), testing::HasSubstr("cannot be read"));
    EXPECT_THAT(fault(from + file("no.colon", "sesame")), testing::HasSubstr("no colon"));
    EXPECT_THAT(fault(from + file("two.lines", "anna:\nsesame")), testing::HasSubstr("one line"));
    EXPECT_THAT(fault("http_proxy: 'socks5h://proxy', http_proxy_credentials_file: " + file("empty", "anna:\n")),
                testing::HasSubstr("no empty password"));
    EXPECT_THAT(fault("http_proxy: 'socks5h://proxy', http_proxy_ca_file: x"),
                testing::HasSubstr("with an https:// proxy"));
}

TEST_F(ProxyOptionsTest, TheEnvironmentCountsWhereTheFileSaysNothing) {
    EXPECT_EQ(load("", {{"https_proxy", "proxy:1"}}).hub.http_proxy->to_string(), "http://proxy:1");
    EXPECT_EQ(load("", {{"HTTPS_PROXY", "proxy:2"}}).hub.http_proxy->to_string(), "http://proxy:2");
    const std::map<std::string, std::string> both{{"https_proxy", "proxy:1"}, {"HTTPS_PROXY", "proxy:2"}};
    EXPECT_EQ(load("", both).hub.http_proxy->to_string(), "http://proxy:1");
    EXPECT_TRUE(load("", {{"NO_PROXY", "example.com"}}).hub.no_proxy.covers("hub.example.com"));
}

TEST_F(ProxyOptionsTest, AllProxyComesAfterThatOfHttps) {  // as with curl
    EXPECT_EQ(load("", {{"ALL_PROXY", "socks5h://proxy:1"}}).hub.http_proxy->to_string(), "socks5h://proxy:1");
    const std::map<std::string, std::string> both{{"all_proxy", "proxy:1"}, {"ALL_PROXY", "proxy:2"}};
    EXPECT_EQ(load("", both).hub.http_proxy->to_string(), "http://proxy:1");
    const std::map<std::string, std::string> all{{"all_proxy", "proxy:1"}, {"HTTPS_PROXY", "proxy:2"}};
    EXPECT_EQ(load("", all).hub.http_proxy->to_string(), "http://proxy:2");
}

TEST_F(ProxyOptionsTest, TheFileWinsOverTheEnvironment) {
    const std::map<std::string, std::string> environment{
        {"https_proxy", "wrong:1"}, {"ALL_PROXY", "wrong:2"}, {"no_proxy", "*"}};
    const auto hub = load("http_proxy: 'http://right:1'", environment).hub;
    EXPECT_EQ(hub.http_proxy->to_string(), "http://right:1");
    EXPECT_FALSE(hub.no_proxy.covers("hub.example.com"));
    EXPECT_EQ(load("no_proxy: example.com", environment).hub.no_proxy.text(), "example.com");
}

TEST_F(ProxyOptionsTest, FaultsOfTheEnvironmentNameTheVariable) {
    EXPECT_THAT(fault("", {{"HTTPS_PROXY", "http://anna:sesame@proxy:0"}}),
                testing::StartsWith("environment variable HTTPS_PROXY hub.http_proxy: the proxy's host and port are"));
}

}  // namespace
}  // namespace device_streams::proxy_options_test
