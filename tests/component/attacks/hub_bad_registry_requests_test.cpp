#include "tests/component/support/hub_under_attack.hpp"

// The identity registry, row by row, as hub_bad_requests_test.cpp has it for the rest of the REST interface.
namespace device_streams::hub::bad_registry_requests_test {
namespace {

/// A request with these fields and this body, by a service that may read and write the registry.
std::string ask(const std::string& line, const std::string& body = "", const std::string& fields = "") {
    const auto length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return line + " HTTP/1.1\r\nHost: x\r\nAuthorization: {registry}\r\n" + fields + length + "\r\n" + body;
}
std::string put(const std::string& body, const std::string& fields = "", const std::string& path = "/devices/new-01") {
    return ask("PUT " + path, body, fields);
}
/// A good request by somebody else.
std::string as(const std::string& authorization, const std::string& line) {
    return line + " HTTP/1.1\r\nHost: x\r\nAuthorization: " + authorization + "\r\nContent-Length: 2\r\n\r\n{}";
}
std::string authentication(const std::string& members) {
    return put(R"({"authentication":{)" + members + "}}");
}

const std::string invalid = "400 ArgumentInvalid, open";
const std::string refused = "401 IotHubUnauthorizedAccess, open";
const std::string changed = "412 PreconditionFailed, open";
const std::string no_device = "404 DeviceNotFound, open";
const std::string good = "200, open";
const std::string any_version = "If-Match: *\r\n";

class HubBadRegistryRequest : public HubUnderAttack, public testing::WithParamInterface<Attack> {
 protected:
    HubBadRegistryRequest() {
        add_device({"dev-02", {}});
        add_device({"dev-02", "m"});
        words["registry"] = policy_token("registry", {.registry_read = true, .registry_write = true});
        words["reader"] = policy_token("reader", {.registry_read = true});
        words["writer"] = policy_token("writer", {.registry_write = true});
        words["expired"] = service_token("localhost", keys_.at("registry"), -301, "registry");
        words["forged"] = service_token("localhost", service_key, 3600, "registry");
        words["other hub"] = service_token("hub2.example.com", keys_.at("registry"), 3600, "registry");
        words["one device"] = service_token("localhost/devices/dev-02", keys_.at("registry"), 3600, "registry");
    }
    Secret policy_token(const std::string& name, Permissions permissions) {
        const auto made = background.wait_for(stream_hub().registry().add_policy(name, permissions, make_key_pair()));
        keys_[name] = made.keys.primary;
        return service_token("localhost", made.keys.primary, 3600, name);
    }

    std::map<std::string, Secret> keys_;
};

TEST_P(HubBadRegistryRequest, IsAnswered) {
    const auto text = filled(GetParam().sent);
    const auto whole = text.ends_with("{cut}") ? text : text + test::http_question;
    EXPECT_EQ(test::http_transcript(answer_to(whole, address.port, 61)), GetParam().told);
    for (const auto& [name, key] : keys_) EXPECT_FALSE(logged(key.reveal())) << name;
}

INSTANTIATE_TEST_SUITE_P(
    Access, HubBadRegistryRequest,
    testing::Values(Attack{"NoAuthorization", "GET /devices HTTP/1.1\r\nHost: x\r\n\r\n", refused},
                    Attack{"EmptyAuthorization", as("", "GET /devices"), refused},
                    Attack{"Expired", as("{expired}", "GET /devices/dev-02"), refused},
                    Attack{"Forged", as("{forged}", "GET /devices/dev-02"), refused},
                    Attack{"OtherHub", as("{other hub}", "GET /devices/dev-02"), refused},
                    Attack{"ScopeOfOneDevice", as("{one device}", "GET /devices/dev-02"), refused},
                    Attack{"DeviceOfItself", as("{device}", "GET /devices/dev-01"), refused},
                    Attack{"PolicyOfStreamsReads", as("{service}", "GET /devices/dev-02"), refused},
                    Attack{"PolicyOfStreamsLists", as("{service}", "GET /devices"), refused},
                    Attack{"PolicyOfStreamsWrites", as("{service}", "PUT /devices/new-01"), refused},
                    Attack{"PolicyOfStreamsRemoves", as("{service}", "DELETE /devices/dev-02"), refused},
                    Attack{"ReaderWrites", as("{reader}", "PUT /devices/new-01"), refused},
                    Attack{"ReaderRemoves", as("{reader}", "DELETE /devices/dev-02"), refused},
                    Attack{"ReaderPosts", as("{reader}", "POST /devices/dev-02"), refused},
                    Attack{"WriterReads", as("{writer}", "GET /devices/dev-02"), refused},
                    Attack{"RegistryOpensAStream", as("{registry}", "POST /twins/dev-02/streams/ssh"), refused},
                    Attack{"StrangerAsksForUnknownDevice", as("", "GET /devices/nobody"), refused},
                    Attack{"StrangerAsksForMalformedPath", as("", "GET /devices/a/b/c"), refused},
                    Attack{"StrangerSendsMalformedBody", as("", "PUT /devices/dev-02"), refused},
                    Attack{"StrangerUsesUnknownMethod", as("", "STEAL /devices/dev-02"), refused},
                    Attack{"StrangerNamesAnEtag", "DELETE /devices/dev-02 HTTP/1.1\r\nHost: x\r\nIf-Match: *\r\n\r\n",
                           refused}),
    attack_name);

INSTANTIATE_TEST_SUITE_P(
    Path, HubBadRegistryRequest,
    testing::Values(Attack{"EmptyDevice", ask("GET /devices//"), invalid},
                    Attack{"EmptyModule", ask("GET /devices/dev-02/modules/"), invalid},
                    Attack{"UnknownSegment", ask("GET /devices/dev-02/twin"), invalid},
                    Attack{"MoreSegments", ask("GET /devices/dev-02/modules/m/x"), invalid},
                    Attack{"ManySegments", ask("GET /devices/dev-02" + times(500, "/x")), invalid},
                    Attack{"DotSegments", ask("GET /devices/../devices/dev-02"), invalid},
                    Attack{"EncodedSlash", ask("GET /devices/dev-02%2Fmodules%2Fm"), invalid},
                    Attack{"EncodedRoot", ask("GET /%64evices/dev-02"), invalid},
                    Attack{"EncodedNul", ask("GET /devices/dev-02%00"), invalid},
                    Attack{"EncodedLineBreak", ask("GET /devices/dev-02%0d%0aX:y"), invalid},
                    Attack{"BadEncoding", ask("GET /devices/dev-02%zz"), invalid},
                    Attack{"LongDevice", ask("GET /devices/" + times(129, "a")), invalid},
                    Attack{"SqlAsDevice", ask("GET /devices/';drop(*);--"), no_device},
                    Attack{"UnknownDevice", ask("GET /devices/dev-0"), no_device},
                    Attack{"DeviceInCapitals", ask("GET /devices/DEV-02"), no_device},
                    Attack{"ModulesOfUnknownDevice", ask("GET /devices/nobody/modules"), no_device},
                    Attack{"ModuleOfUnknownDevice", ask("GET /devices/nobody/modules/m"), no_device},
                    Attack{"UnknownModule", ask("GET /devices/dev-02/modules/x"), "404 ModuleNotFound, open"},
                    Attack{"RootInCapitals", ask("GET /DEVICES/dev-02"), "404 GenericNotFound, open"},
                    Attack{"TopNoNumber", ask("GET /devices?top=ten"), invalid},
                    Attack{"TopNegative", ask("GET /devices?top=-1"), invalid},
                    Attack{"TopBeyondAllNumbers", ask("GET /devices/nobody/modules?top=99999999999999999999999"),
                           no_device},
                    Attack{"PostToADevice", ask("POST /devices/dev-02", "{}"), "405, open"},
                    Attack{"PatchOfADevice", ask("PATCH /devices/dev-02", "{}"), "405, open"},
                    Attack{"OptionsOfADevice", ask("OPTIONS /devices/dev-02"), "405, open"},
                    Attack{"PostOfTheList", ask("POST /devices", "[]"), "501 NotImplemented, open"},
                    Attack{"PutOfTheList", ask("PUT /devices", "{}"), "405, open"},
                    Attack{"DeleteOfTheList", ask("DELETE /devices", "", any_version), "405, open"},
                    Attack{"DeleteOfAllModules", ask("DELETE /devices/dev-02/modules", "", any_version), "405, open"}),
    attack_name);

INSTANTIATE_TEST_SUITE_P(
    Body, HubBadRegistryRequest,
    testing::Values(
        Attack{"Honest", put("{}"), good}, Attack{"Empty", put(""), invalid}, Attack{"NoJson", put("{]"), invalid},
        Attack{"Cut", put(R"({"status":"ena)"), invalid}, Attack{"Array", put("[]"), invalid},
        Attack{"Text", put("\"enabled\""), invalid}, Attack{"TwoObjects", put("{}{}"), invalid},
        Attack{"BadUtf8", put("{\"statusReason\":\"\xff\xfe\"}"), invalid},
        Attack{"LoneSurrogate", put(R"({"statusReason":"\ud800"})"), invalid},
        Attack{"Nul", put(raw("{\"status\":\"enabled\0\"}")), invalid},
        Attack{"DeeplyNested", put(R"({"x":)" + times(1'900, "[") + times(1'900, "]") + "}"), good},
        Attack{"DeeplyNestedAndCut", put(R"({"x":)" + times(4'000, "[")), invalid},
        Attack{"TooLong", put(R"({"x":")" + times(4'096, "x") + "\"}"), "413"},
        Attack{"OtherDevice", put(R"({"deviceId":"dev-02"})"), invalid},
        Attack{"DeviceIdNoText", put(R"({"deviceId":7})"), invalid},
        Attack{"ModuleIdOnADevice", put(R"({"moduleId":"m"})"), invalid},
        Attack{"StatusUnknown", put(R"({"status":"asleep"})"), invalid},
        Attack{"StatusNoText", put(R"({"status":true})"), invalid},
        Attack{"StatusReasonTooLong", put(R"({"statusReason":")" + times(129, "a") + "\"}"), invalid},
        Attack{"StatusReasonNoText", put(R"({"statusReason":["a"]})"), invalid},
        Attack{"AuthenticationNoObject", put(R"({"authentication":"sas"})"), invalid},
        Attack{"TypeUnknown", authentication(R"("type":"tpm")"), invalid},
        Attack{"TypeNoText", authentication(R"("type":{})"), invalid},
        Attack{"KeysNoObject", authentication(R"("symmetricKey":"AAAA")"), invalid},
        Attack{"KeyNoText", authentication(R"("symmetricKey":{"primaryKey":1,"secondaryKey":2})"), invalid},
        Attack{"OneKeyOnly", authentication(R"("symmetricKey":{"primaryKey":"MDEyMzQ1Njc4OWFiY2RlZg=="})"), invalid},
        Attack{"KeyNoBase64", authentication(R"("symmetricKey":{"primaryKey":"!","secondaryKey":"!"})"), invalid},
        Attack{"KeysTooShort", authentication(R"("symmetricKey":{"primaryKey":"YQ==","secondaryKey":"YQ=="})"),
               invalid},
        Attack{"SelfSignedWithoutThumbprint", authentication(R"("type":"selfSigned")"), invalid},
        Attack{"ThumbprintNoHex", authentication(R"("x509Thumbprint":{"primaryThumbprint":")" + times(40, "x") + "\"}"),
               invalid},
        Attack{"ThumbprintTooShort", authentication(R"("x509Thumbprint":{"primaryThumbprint":"abcd"})"), invalid},
        Attack{"ThumbprintsNoObject", authentication(R"("x509Thumbprint":[])"), invalid},
        Attack{"Edge", put(R"({"capabilities":{"iotEdge":true}})"), invalid},
        Attack{"CapabilitiesNoObject", put(R"({"capabilities":true})"), invalid},
        Attack{"HalfABody", ask("PUT /devices/new-01", "{}{cut}"), ""}),
    attack_name);

INSTANTIATE_TEST_SUITE_P(
    Order, HubBadRegistryRequest,
    testing::Values(Attack{"CreatedTwice", put("{}") + put("{}"), "200, 409 DeviceAlreadyExists, open"},
                    Attack{"ModuleCreatedTwice", put("{}", "", "/devices/dev-02/modules/m"),
                           "409 ModuleAlreadyExistsOnDevice, open"},
                    Attack{"ModuleBeforeItsDevice", put("{}", "", "/devices/new-01/modules/m"), no_device},
                    Attack{"ReplacedBeforeCreated", put("{}", any_version), no_device},
                    Attack{"ModuleReplacedBeforeCreated", put("{}", any_version, "/devices/dev-02/modules/x"),
                           "404 ModuleNotFound, open"},
                    Attack{"RemovedBeforeCreated", ask("DELETE /devices/new-01", "", any_version), no_device},
                    Attack{"RemovedTwice", times(2, ask("DELETE /devices/dev-02", "", any_version)),
                           "204, 404 DeviceNotFound, open"},
                    Attack{"ModuleOfARemovedDevice",
                           ask("DELETE /devices/dev-02", "", any_version) + ask("GET /devices/dev-02/modules/m"),
                           "204, 404 DeviceNotFound, open"},
                    Attack{"RemovedWithoutIfMatch", ask("DELETE /devices/dev-02"), changed},
                    Attack{"RemovedWithAnotherEtag", ask("DELETE /devices/dev-02", "", "If-Match: \"0\"\r\n"), changed},
                    Attack{"RemovedWithAnEmptyEtag", ask("DELETE /devices/dev-02", "", "If-Match: \"\"\r\n"), changed},
                    Attack{"ReplacedWithAnotherEtag", put("{}", "If-Match: \"0\"\r\n", "/devices/dev-02"), changed},
                    Attack{"ReplacedWithAWeakEtag", put("{}", "If-Match: W/\"0\"\r\n", "/devices/dev-02"), changed},
                    Attack{"ReplacedWithAListOfEtags", put("{}", "If-Match: \"0\", *\r\n", "/devices/dev-02"), changed},
                    Attack{"IfMatchTwice", put("{}", times(2, any_version), "/devices/dev-02"), changed},
                    Attack{"SqlAsEtag", put("{}", "If-Match: \"' OR 1=1 --\"\r\n", "/devices/dev-02"), changed},
                    Attack{"MalformedBehindGood", put("{}") + put("{", any_version), "200, 400 ArgumentInvalid, open"},
                    Attack{"GoodBehindMalformed", put("{") + put("{}"), "400 ArgumentInvalid, 200, open"},
                    Attack{"ThreeReadsAtOnce", times(3, ask("GET /devices/dev-02")), "3 200, open"}),
    attack_name);

}  // namespace
}  // namespace device_streams::hub::bad_registry_requests_test
