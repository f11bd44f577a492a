#include "tests/component/support/hub_under_attack.hpp"

// The HTTP side and the REST interface, row by row. The requests are on one connection; an honest question
// follows unless the text ends with {cut}.
namespace device_streams::hub::bad_requests_test {
namespace {

std::string request(const std::string& line, const std::string& fields = "", const std::string& body = "") {
    return line + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" + body;
}
/// A stream request with these further fields, by a service that may.
std::string post(const std::string& target, const std::string& fields = "") {
    return request("POST " + target, "Authorization: {service}\r\n" + fields);
}
/// A good stream request with this Authorization.
std::string as(const std::string& authorization) {
    return request("POST /twins/dev-01/streams/ssh", "Authorization: " + authorization + "\r\n");
}
std::string with(const std::string& fields) {
    return post("/twins/dev-01/streams/ssh", fields);
}

const std::string invalid = "400 ArgumentInvalid, open";
const std::string refused = "401 IotHubUnauthorizedAccess, open";
const std::string offline = "404 DeviceNotOnline, open";  // what an honest request gets here

class HubBadRequest : public HubUnderAttack, public testing::WithParamInterface<Attack> {
 protected:
    HubBadRequest() {
        add_device({"dev-02", {}});
        Permissions none;
        none.device_connect = true;
        const auto devices = background.wait_for(stream_hub().registry().add_policy("device", none, make_key_pair()));
        const Secret stranger("c29tZWJvZHkgZWxzZSdzIGtleQ==");
        words["expired"] = service_token("localhost", service_key, -301);
        words["forged"] = service_token("localhost", stranger);
        words["other hub"] = service_token("hub2.example.com", service_key);
        words["cut hub"] = service_token("local", service_key);
        words["one device"] = service_token("localhost/devices/dev-01", service_key);
        words["no policy"] = service_token("localhost", service_key, 3600, "");
        words["unknown policy"] = service_token("localhost", service_key, 3600, "nobody");
        words["device policy"] = service_token("localhost", devices.keys.primary, 3600, "device");
        words["key of a device"] = service_token("localhost", device_key);
    }
};

TEST_P(HubBadRequest, IsAnswered) {
    const auto text = filled(GetParam().sent);
    const auto whole = text.ends_with("{cut}") ? text : text + test::http_question;
    for (const std::size_t piece : {std::string::npos, std::size_t{61}})
        EXPECT_EQ(test::http_transcript(answer_to(whole, address.port, piece)), GetParam().told) << piece;
    EXPECT_TRUE(eventually_logged(GetParam().logged)) << whole_log();
}

INSTANTIATE_TEST_SUITE_P(
    Http, HubBadRequest,
    testing::Values(
        Attack{"Nothing", "{cut}", ""}, Attack{"HalfALine", "GET /tw{cut}", ""},
        Attack{"HalfAHead", "GET / HTTP/1.1\r\nHost: x\r\n{cut}", ""},
        Attack{"HalfABody", request("POST /", "Content-Length: 9\r\n", "half{cut}"), ""},
        Attack{"HalfAChunk", request("POST /", "Transfer-Encoding: chunked\r\n", "9\r\nhalf{cut}"), ""},
        Attack{"NoHttpAtAll", "SSH-2.0-scanner\r\n\r\n", "400"},
        Attack{"TlsInsideTls", raw("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"), "400", "DS-602"},
        Attack{"MqttConnect", raw("\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07stolen!"), "400"},
        Attack{"AmqpHeader", raw("AMQP\0\1\0\0"), "400"}, Attack{"NoVersion", "GET /\r\n\r\n", "400"},
        Attack{"Version09", "GET / HTTP/0.9\r\nHost: x\r\n\r\n", "505"},
        Attack{"Version10", "GET / HTTP/1.0\r\nHost: x\r\n\r\n", "404 GenericNotFound"},
        Attack{"Version2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
        Attack{"VersionInSmallLetters", "GET / http/1.1\r\nHost: x\r\n\r\n", "400"},
        Attack{"NoMethod", " / HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        Attack{"UnknownMethod", request("STEAL /"), "404 GenericNotFound, open"},
        Attack{"MethodThatIsNoToken", request("GE(T /"), "400"},
        Attack{"Trace", request("TRACE /", "Cookie: secret\r\n"), "404 GenericNotFound, open"},
        Attack{"Connect", request("CONNECT internal:22"), "404 GenericNotFound, open"},
        Attack{"Asterisk", request("OPTIONS *"), "200, open"},
        Attack{"AbsoluteTarget", request("GET http://x/twins/"), "404 GenericNotFound, open"},
        Attack{"FourParts", request("GET / /"), "400"}, Attack{"TargetWithHighBytes", request("GET /\xc3\xa9"), "400"},
        Attack{"TargetWithNul", "GET /" + raw("\0") + " HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        Attack{"TargetBadlyEncoded", request("GET /%zz"), invalid},
        Attack{"TargetCutInItsEncoding", request("GET /%4"), invalid},
        Attack{"LongTarget", request("GET /" + times(20'000, "a")), "431", "DS-60"},
        Attack{"OneEmptyLineBefore", "\r\n" + request("GET /"), "404 GenericNotFound, open"},
        Attack{"TwoEmptyLinesBefore", "\r\n\r\n" + request("GET /"), "400"},
        Attack{"BareLineFeeds", "GET / HTTP/1.1\nHost: x\n\n", "400"},
        Attack{"BareCarriageReturn", request("GET /", "A: b\rB: c\r\n"), "400"},
        Attack{"NulInAField", request("GET /", "A: " + raw("\0") + "\r\n"), "400"},
        Attack{"DelInAField", request("GET /", "A: \x7f\r\n"), "400"},
        Attack{"FoldedField", request("GET /", "A: b\r\n c\r\n"), "400"},
        Attack{"FieldWithoutColon", request("GET /", "A\r\n"), "400"},
        Attack{"FieldWithoutName", request("GET /", ": b\r\n"), "400"},
        Attack{"BlankBeforeColon", request("GET /", "A : b\r\n"), "400"},
        Attack{"NoHost", "GET / HTTP/1.1\r\n\r\n", "400"}, Attack{"TwoHosts", request("GET /", "Host: y\r\n"), "400"},
        Attack{"LongField", request("GET /", "A: " + times(16'000, "b") + "\r\n"), "431"},
        Attack{"ManyFields", request("GET /", times(4'000, "a: b\r\n")), "431"},
        Attack{"TwoLengths", request("POST /", "Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), "400"},
        Attack{"SameLengthTwice", request("POST /", "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), "400"},
        Attack{"ListOfLengths", request("POST /", "Content-Length: 2, 2\r\n", "{}"), "400"},
        Attack{"NegativeLength", request("POST /", "Content-Length: -2\r\n"), "400"},
        Attack{"SignedLength", request("POST /", "Content-Length: +2\r\n", "{}"), "400"},
        Attack{"HexLength", request("POST /", "Content-Length: 0x2\r\n", "{}"), "400"},
        Attack{"EmptyLength", request("POST /", "Content-Length:\r\n"), "400"},
        Attack{"LengthBeyondAllNumbers", request("POST /", "Content-Length: 99999999999999999999\r\n"), "413"},
        Attack{"LengthBeyondTheLimit", request("POST /", "Content-Length: 4097\r\n"), "413", "DS-603"},
        Attack{"LengthAtTheLimit", request("POST /", "Content-Length: 4096\r\n", times(4096, "x")),
               "404 GenericNotFound, open"},
        Attack{"LengthAndChunks", request("POST /", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
               "400"},
        Attack{"OtherCoding", request("POST /", "Transfer-Encoding: gzip\r\n"), "501"},
        Attack{"ChunkedTwice", request("POST /", "Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), "501"},
        Attack{"ChunkedInVersion10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        Attack{"GoodChunks", request("POST /", "Transfer-Encoding: chunked\r\n", "2;a=b\r\n{}\r\n0\r\nA: b\r\n\r\n"),
               "404 GenericNotFound, open"},
        Attack{"ChunkWithoutSize", request("POST /", "Transfer-Encoding: chunked\r\n", "\r\n"), "400"},
        Attack{"ChunkSizeNoNumber", request("POST /", "Transfer-Encoding: chunked\r\n", "zz\r\n"), "400"},
        Attack{"ChunkSizeNegative", request("POST /", "Transfer-Encoding: chunked\r\n", "-1\r\n"), "400"},
        Attack{"ChunkSizeBeyondAllNumbers",
               request("POST /", "Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"), "413"},
        Attack{"ChunkLongerThanItsSize", request("POST /", "Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n"), "400"},
        Attack{"ChunksBeyondTheLimit",
               request("POST /", "Transfer-Encoding: chunked\r\n", times(3, "800\r\n" + times(2048, "x") + "\r\n")),
               "413"},
        Attack{"LongChunkExtension", request("POST /", "Transfer-Encoding: chunked\r\n", "2;" + times(300, "a")),
               "400"},
        Attack{
            "LongTrailer",
            request("POST /", "Transfer-Encoding: chunked\r\n", "0\r\n" + times(200, "A: " + times(90, "b") + "\r\n")),
            "431"},
        Attack{"ExpectsAMiracle", request("POST /", "Expect: miracle\r\nContent-Length: 2\r\n"), "417"},
        Attack{"ExpectsContinueForTooMuch", request("POST /", "Expect: 100-continue\r\nContent-Length: 5000\r\n"),
               "413"},
        Attack{"BadBehindGood", request("GET /") + "garbage\r\n\r\n", "404 GenericNotFound, 400"},
        Attack{"GoodBehindBad", "garbage\r\n\r\n" + request("GET /"), "400"},
        Attack{"GoodBehindClose", request("GET /", "Connection: close\r\n") + request("GET /"), "404 GenericNotFound"},
        Attack{"ThirtyAtOnce", times(30, request("GET /")), "30 404 GenericNotFound, open"}),
    attack_name);

INSTANTIATE_TEST_SUITE_P(
    Authorization, HubBadRequest,
    testing::Values(
        Attack{"Honest", as("{service}"), offline},
        Attack{"Missing", request("POST /twins/dev-01/streams/ssh"), refused}, Attack{"Empty", as(""), refused},
        Attack{"Basic", as("Basic c2VydmljZTpzZXJ2aWNl"), refused},
        Attack{"Bearer", as("Bearer eyJhbGciOiJub25lIn0.e30."), refused},
        Attack{"SchemeAlone", as("SharedAccessSignature"), refused},
        Attack{"NoFields", as("SharedAccessSignature sr"), refused},
        Attack{"NoSignature", as("SharedAccessSignature sr=localhost&se=4000000000&skn=service"), refused},
        Attack{"EmptySignature", as("SharedAccessSignature sr=localhost&sig=&se=4000000000&skn=service"), refused},
        Attack{"ShortSignature", as("SharedAccessSignature sr=localhost&sig=YWJj&se=4000000000&skn=service"), refused},
        Attack{"SignatureNoBase64", as("SharedAccessSignature sr=localhost&sig=%25&se=4000000000&skn=service"),
               refused},
        Attack{"NoExpiry", as("SharedAccessSignature sr=localhost&sig=YWJj&skn=service"), refused},
        Attack{"ExpiryNoNumber", as("SharedAccessSignature sr=localhost&sig=YWJj&se=never&skn=service"), refused},
        Attack{"ExpiryBeyondAllNumbers", as("SharedAccessSignature sr=localhost&sig=YWJj&se=99999999999999999999"),
               refused},
        Attack{"Expired", as("{expired}"), refused}, Attack{"ForgedKey", as("{forged}"), refused},
        Attack{"KeyOfADevice", as("{key of a device}"), refused}, Attack{"TokenOfADevice", as("{device}"), refused},
        Attack{"OtherHub", as("{other hub}"), refused}, Attack{"BeginningOfTheHubsName", as("{cut hub}"), refused},
        Attack{"ScopeOfOneDevice", as("{one device}"), refused}, Attack{"NoPolicy", as("{no policy}"), refused},
        Attack{"UnknownPolicy", as("{unknown policy}"), refused},
        Attack{"PolicyOfDevices", as("{device policy}"), refused},
        Attack{"FieldRepeated", as("{service}&skn=service"), refused},
        Attack{"ExpiryRepeated", as("{service}&se=4000000000"), refused},
        Attack{"SignedTextChanged", as("{service}") + as("{service}x"),
               "404 DeviceNotOnline, 401 IotHubUnauthorizedAccess, open"},
        Attack{"PolicyWithNul", as("SharedAccessSignature sr=localhost&sig=YWJj&se=4000000000&skn=service%00"),
               refused},
        Attack{"TwoAuthorizations",
               request("POST /twins/dev-01/streams/ssh", "Authorization: {service}\r\nAuthorization: {service}\r\n"),
               refused},
        Attack{"TokenInTheTarget", request("POST /twins/dev-01/streams/ssh?authorization=anything"), refused},
        Attack{"LongToken", as("SharedAccessSignature sr=" + times(14'000, "a")), refused},
        Attack{"UnknownDeviceOfAStranger", request("POST /twins/nobody/streams/ssh"), refused},
        Attack{"KnownAfterUnknown", as("{forged}") + as("{service}"),
               "401 IotHubUnauthorizedAccess, 404 DeviceNotOnline, open"}),
    attack_name);

INSTANTIATE_TEST_SUITE_P(
    StreamRequest, HubBadRequest,
    testing::Values(
        Attack{"NoSlash", post("/twins"), "404 GenericNotFound, open"}, Attack{"NoDevice", post("/twins/"), invalid},
        Attack{"EmptyDevice", post("/twins//streams/ssh"), invalid},
        Attack{"NoStream", post("/twins/dev-01"), "501 NotImplemented, open"},
        Attack{"EmptyStream", post("/twins/dev-01/streams/"), invalid},
        Attack{"MoreBehindTheStream", post("/twins/dev-01/streams/ssh/x"), invalid},
        Attack{"ManySegments", post("/twins/dev-01/streams" + times(40, "/x")), invalid},
        Attack{"TwinsInCapitals", post("/TWINS/dev-01/streams/ssh"), "404 GenericNotFound, open"},
        Attack{"StreamsInCapitals", post("/twins/dev-01/Streams/ssh"), invalid},
        Attack{"DotSegments", post("/twins/../twins/dev-01/streams/ssh"), invalid},
        Attack{"EncodedDotSegments", post("/twins/%2e%2e/dev-01/streams/ssh"), invalid},
        Attack{"SlashInTheName", post("/twins/dev-01/streams/a%2Fb"), invalid},
        Attack{"EncodedName", post("/twins/dev-01/streams/s%73h"), invalid},
        Attack{"PlusInTheName", post("/twins/dev-01/streams/a+b"), invalid},
        Attack{"TopicInTheName", post("/twins/dev-01/streams/%23"), invalid},
        Attack{"LongName", post("/twins/dev-01/streams/" + times(129, "a")), invalid},
        Attack{"LongestName", post("/twins/dev-01/streams/" + times(128, "a")), offline},
        Attack{"NulInTheDevice", post("/twins/dev%00/streams/ssh"), invalid},
        Attack{"LineBreakInTheDevice", post("/twins/dev%0d%0aX: y/streams/ssh"), "400"},
        Attack{"EncodedLineBreakInTheDevice", post("/twins/dev%0d%0a/streams/ssh"), invalid},
        Attack{"SlashInTheDevice", post("/twins/a%2Fb/streams/ssh"), invalid},
        Attack{"LongDevice", post("/twins/" + times(129, "a") + "/streams/ssh"), invalid},
        Attack{"SqlAsDevice", post("/twins/';drop(*);--/streams/ssh"), "404 DeviceNotFound, open"},
        Attack{"PercentAsDevice", post("/twins/%25/streams/ssh"), "404 DeviceNotFound, open"},
        Attack{"UnknownDevice", post("/twins/dev-0/streams/ssh"), "404 DeviceNotFound, open"},
        Attack{"DeviceInCapitals", post("/twins/DEV-01/streams/ssh"), "404 DeviceNotFound, open"},
        Attack{"UnknownModule", post("/twins/dev-01/modules/m/streams/ssh"), "404 ModuleNotFound, open"},
        Attack{"EmptyModule", post("/twins/dev-01/modules//streams/ssh"), invalid},
        Attack{"Get", request("GET /twins/dev-01/streams/ssh", "Authorization: {service}\r\n"), "405, open"},
        Attack{"PutByAStranger", request("PUT /twins/dev-01/streams/ssh"), "405, open"},
        Attack{"TimeoutNoNumber", with("iothub-streaming-connect-timeout-in-seconds: abc\r\n"), invalid},
        Attack{"TimeoutEmpty", with("iothub-streaming-connect-timeout-in-seconds:\r\n"), invalid},
        Attack{"TimeoutNegative", with("iothub-streaming-connect-timeout-in-seconds: -1\r\n"), invalid},
        Attack{"TimeoutMinusZero", with("iothub-streaming-connect-timeout-in-seconds: -0\r\n"), invalid},
        Attack{"TimeoutNan", with("iothub-streaming-response-timeout-in-seconds: nan\r\n"), invalid},
        Attack{"TimeoutInfinite", with("iothub-streaming-response-timeout-in-seconds: inf\r\n"), invalid},
        Attack{"TimeoutHex", with("iothub-streaming-response-timeout-in-seconds: 0x10\r\n"), invalid},
        Attack{"TimeoutWithExponent", with("iothub-streaming-response-timeout-in-seconds: 1e3\r\n"), invalid},
        Attack{"TimeoutTwice", with(times(2, "iothub-streaming-connect-timeout-in-seconds: 1\r\n")), invalid},
        Attack{"TimeoutOfCenturies", with("iothub-streaming-response-timeout-in-seconds: " + times(300, "9") + "\r\n"),
               offline},
        Attack{"FeaturesThatAreNone", with("iothub-streaming-features: ,,x=y,\xff,half-close half-close\r\n"), offline},
        Attack{"LegUpgradeWithoutFeatures", with("Connection: Upgrade\r\nUpgrade: device-stream\r\n"), offline},
        Attack{"WebSocketUpgrade", with("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
               offline},
        Attack{"ThreeAtOnce", times(3, with("")), "3 404 DeviceNotOnline, open"}),
    attack_name);

}  // namespace
}  // namespace device_streams::hub::bad_requests_test
