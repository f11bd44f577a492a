#include "common/iothub/stream_request.hpp"

#include "tests/unit/iothub/test_keys.hpp"

#include <gtest/gtest.h>

namespace device_streams::iothub::stream_requests_test {
namespace {

const std::string url =
    "wss://streams.iot.example:443/bridges/ih/hub1/d/dev-01/sid/0f1e2d3c4b5a69788796a5b4c3d2e1f0/r/device";
const std::string encoded_url =
    "wss%3A%2F%2Fstreams.iot.example%3A443%2Fbridges%2Fih%2Fhub1%2Fd%2Fdev-01%2Fsid%2F0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    "%2Fr%2Fdevice";

StreamRequest example() {
    return {
        .name = "ssh-1", .request_id = "1", .url = url, .token = Secret(vectors::device_stream_token), .features = {}};
}

TEST(RequestTopic, IsTheOneOfTheWireProtocol) {
    const auto topic = request_topic(example());
    EXPECT_EQ(topic,
              "$iothub/streams/POST/ssh-1/?$rid=1&$url=" + encoded_url + "&$auth=" + vectors::device_stream_token);
    EXPECT_EQ(topic.size(), 444U);
}

TEST(RequestTopic, IsReadBack) {
    const auto parsed = parse_request_topic(request_topic(example()));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->name, "ssh-1");
    EXPECT_EQ(parsed->request_id, "1");
    EXPECT_EQ(parsed->url, url);
    EXPECT_EQ(parsed->token.reveal(), vectors::device_stream_token);
    EXPECT_EQ(parsed->features, "");
}

TEST(RequestTopic, CarriesFeaturesOnlyWhenThereAreSome) {
    auto request = example();
    request.features = "half-close,big-frames";
    const auto topic = request_topic(request);
    EXPECT_TRUE(topic.ends_with("&$features=half-close,big-frames")) << topic;
    EXPECT_EQ(parse_request_topic(topic)->features, "half-close,big-frames");
}

TEST(RequestTopic, CarriesThePolicyOnlyWhenOneIsTold) {
    auto request = example();
    request.policy = "night-shift_2.b";
    const auto topic = request_topic(request);
    EXPECT_TRUE(topic.ends_with("&$policy=night-shift_2.b")) << topic;
    EXPECT_EQ(parse_request_topic(topic)->policy, "night-shift_2.b");
    EXPECT_EQ(parse_request_topic(request_topic(example()))->policy, "");
}

TEST(RequestTopic, IsReadWithAnExtraPair) {
    EXPECT_TRUE(parse_request_topic(request_topic(example()) + "&$ip=192.0.2.1"));
}

TEST(RequestTopic, IsReadWithLowerCaseHex) {
    const auto parsed = parse_request_topic("$iothub/streams/POST/s/?$rid=1&$url=wss%3a%2f%2fh%3a443%2fp&$auth=t");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->url, "wss://h:443/p");
}

TEST(RequestTopic, IsReadInAnyOrderOfPairs) {
    for (const auto* pairs : {"$auth=t&$rid=r&$url=wss%3A%2F%2Fh%2Fp", "$url=wss%3A%2F%2Fh%2Fp&$auth=t&$rid=r",
                              "$rid=r&x&$auth=t&&$url=wss%3A%2F%2Fh%2Fp"}) {
        const auto parsed = parse_request_topic(std::string("$iothub/streams/POST/s/?") + pairs);
        ASSERT_TRUE(parsed) << pairs;
        EXPECT_EQ(parsed->request_id, "r");
        EXPECT_EQ(parsed->token.reveal(), "t");
        EXPECT_EQ(parsed->url, "wss://h/p");
    }
}

TEST(RequestTopic, KeepsNameAndRequestIdUndecoded) {
    const auto parsed = parse_request_topic("$iothub/streams/POST/a%41/?$rid=1%41&$url=wss%3A%2F%2Fh%2Fp&$auth=t");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->name, "a%41");
    EXPECT_EQ(parsed->request_id, "1%41");
}

class MalformedRequestTopic : public testing::TestWithParam<std::string> {};

TEST_P(MalformedRequestTopic, IsRefused) {
    EXPECT_FALSE(parse_request_topic(GetParam()));
}

const std::string start = "$iothub/streams/POST/s/?";
const std::string good_url = "$url=wss%3A%2F%2Fh%2Fp";
INSTANTIATE_TEST_SUITE_P(
    All, MalformedRequestTopic,
    testing::Values("", "$iothub/streams/POST/", "$iothub/streams/POST/ssh-1",  // four segments, no properties
                    "$iothub/streams/POST/ssh-1/", start,
                    "$iothub/streams/POST//?$rid=1&$url=wss%3A%2F%2Fh%2Fp&$auth=t",  // no name
                    "$iothub/streams/GET/s/?$rid=1&$url=wss%3A%2F%2Fh%2Fp&$auth=t",
                    "$iothub/streams/POST/s/$rid=1&$url=wss%3A%2F%2Fh%2Fp&$auth=t",  // no ?
                    start + "$rid=1&$url=wss%3A//h/p&$auth=t",                       // raw / in the URL
                    start + "$rid=1&" + good_url,                                    // no token
                    start + "$rid=1&$auth=t", start + good_url + "&$auth=t",         // no URL, no id
                    start + "$rid=1&$url=wss%3A%2F%2Fh%2Fp%4&$auth=t",               // truncated escape
                    start + "$rid=1&$url=%4&$auth=t", start + "$rid=1&$url=https%3A%2F%2Fh%2Fp&$auth=t",
                    start + "$rid=1&$url=wss%3A%2F%2Fh%2Fp%0D%0AX%3A1&$auth=t",     // header injection
                    start + "$rid=1&" + good_url + "&$auth=a\r\nHost: evil",        //
                    start + "$rid=1&" + good_url + "&$auth=a b",                    //
                    start + "$rid=1&" + good_url + "&$auth=t&$features=%",          //
                    start + "$rid=1&" + good_url + "&$auth=t&$policy=%",            //
                    start + "$rid=1&" + good_url + "&$auth=t&$policy=",             //
                    start + "$rid=1&" + good_url + "&$auth=t&$policy=a%20b",        //
                    start + "$rid=1&" + good_url + "&$auth=t&$policy=a&$policy=b",  //
                    start + "$rid=1&" + good_url + "&$auth=t&$auth=t",              // twice
                    start + "$rid=1&$rid=1&" + good_url + "&$auth=t",               //
                    start + "$rid=1&" + good_url + "&" + good_url + "&$auth=t",     //
                    start + "$rid=&" + good_url + "&$auth=t",                       // empty
                    start + "$rid=1&$url=&$auth=t",                                 //
                    start + "$rid=1&" + good_url + "&$auth=",                       //
                    start + "$rid=\x01&" + good_url + "&$auth=t"));

TEST(AnswerTopic, IsTheOneOfTheWireProtocol) {
    EXPECT_EQ(answer_topic({.status = 200, .request_id = "1"}), "$iothub/streams/res/200/?$rid=1");
    EXPECT_EQ(answer_topic({.status = 400, .request_id = "1"}), "$iothub/streams/res/400/?$rid=1");
}

TEST(AnswerTopic, AcceptsWithAnyStatusOf2xx) {
    for (const auto& [status, accepted] : {std::pair{"199", false}, {"200", true}, {"299", true}, {"300", false}}) {
        const auto parsed = parse_answer_topic(std::string("$iothub/streams/res/") + status + "/?$rid=a1-B");
        ASSERT_TRUE(parsed) << status;
        EXPECT_EQ(parsed->accepted(), accepted) << status;
        EXPECT_EQ(parsed->request_id, "a1-B");
    }
}

TEST(AnswerTopic, NamesTheReasonOfARejection) {
    const auto topic = answer_topic({400, "1", Errc::local_refused});
    EXPECT_EQ(topic, "$iothub/streams/res/400/?$rid=1&$reason=DS-402");
    EXPECT_EQ(parse_answer_topic(topic)->reason, Errc::local_refused);
    EXPECT_EQ(parse_answer_topic(topic)->request_id, "1");
    EXPECT_EQ(answer_topic({400, "1", Errc::internal}), "$iothub/streams/res/400/?$rid=1") << "none of a device's";
}

TEST(AnswerTopic, TakesNoReasonButOneOfADevices) {
    for (const auto* text : {"DS-305", "DS-901", "DS-40", "DS-4020", "ds-402", "402", "", "DS-402 local", "DS-402&x",
                             "DS-402&$reason=DS-401", "%44S-402"}) {
        const auto parsed = parse_answer_topic(std::string("$iothub/streams/res/400/?$rid=1&$reason=") + text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_FALSE(parsed->reason) << text;
    }
    EXPECT_FALSE(parse_answer_topic("$iothub/streams/res/200/?$rid=1&$reason=DS-402")->reason) << "it was accepted";
    EXPECT_FALSE(parse_answer_topic("$iothub/streams/res/400/?$rid=1/$reason=DS-402")->reason);
}

TEST(AnswerTopic, ToleratesTextAfterTheRequestId) {
    EXPECT_EQ(parse_answer_topic("$iothub/streams/res/200/?$rid=7&x=1")->request_id, "7");
    EXPECT_EQ(parse_answer_topic("$iothub/streams/res/200/?$rid=7/more")->request_id, "7");
}

TEST(AnswerTopic, IsRefusedWhenMalformed) {
    for (const auto* topic :
         {"", "$iothub/streams/res/", "$iothub/streams/res/200", "$iothub/streams/res/200/",
          "$iothub/streams/res/200/?", "$iothub/streams/res/200/?$rid=", "$iothub/streams/res/200/?$rid=&x",
          "$iothub/streams/res/2/?$rid=1", "$iothub/streams/res/20/?$rid=1", "$iothub/streams/res/2000/?$rid=1",
          "$iothub/streams/res/099/?$rid=1", "$iothub/streams/res/-20/?$rid=1", "$iothub/streams/res/ok/?$rid=1",
          "$iothub/streams/res/200/$rid=1", "$iothub/streams/POST/200/?$rid=1", "$iothub/streams/res/200/?$rid=a b"})
        EXPECT_FALSE(parse_answer_topic(topic)) << topic;
}

TEST(StreamName, IsShortAndPlain) {
    EXPECT_TRUE(is_valid_stream_name("ssh.1a2b3c4d"));
    EXPECT_TRUE(is_valid_stream_name(std::string(128, 'x')));
    for (const auto& name : {std::string(), std::string(129, 'x'), std::string("a/b"), std::string("a+b"),
                             std::string("a#"), std::string("a?b"), std::string("a b"), std::string("a%20")})
        EXPECT_FALSE(is_valid_stream_name(name)) << name;
}

}  // namespace
}  // namespace device_streams::iothub::stream_requests_test
