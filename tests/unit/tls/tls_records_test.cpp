#include "common/tls/tls_records.hpp"

#include "tests/unit/tls/record_sealer.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

namespace device_streams {
namespace {

using test::Bytes;
using test::from_hex;
using test::raw_text;
using test::RecordSealer;
using test::test_keys;
using test::operator<<;

// Everything that comes out, in reads of `room` bytes.
struct Reading {
    explicit Reading(bool is_server = false, AeadSuite suite = AeadSuite::aes_128_gcm)
        : reader(test_keys(suite), is_server) {}

    std::string all(const Bytes& ciphertext, std::size_t room = 40'000) {
        std::string text;
        Bytes into(room);
        for (std::size_t from = 0;;) {
            const auto step = reader.read(std::span(ciphertext).subspan(from), into);
            text.append(reinterpret_cast<const char*>(into.data()), step.produced);
            from += step.consumed;
            if (reader.turn_over()) ++turns;
            if (reader.over() || (step.produced == 0 && step.consumed == 0)) {
                rest = ciphertext.size() - from;
                return text;
            }
        }
    }

    RecordReader reader;
    std::size_t rest = 0;
    int turns = 0;
};

std::string text_of(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
    return text;
}

TEST(RecordReader, ReadsTheRecordsOfRfc8448) {
    RecordReader reader(TrafficKeys(AeadSuite::aes_128_gcm,
                                    from_hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"), 0),
                        true);
    Bytes into(100);
    const auto data = from_hex(
        "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292"
        "a2977014bd1e3deae63aeebb21694915e4");
    const auto step = reader.read(data, into);
    ASSERT_EQ(step.produced, 50u);
    for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(into[i], static_cast<std::byte>(i));
    reader.read(from_hex("1703030013c9872760655666b74d7ff1153efd6db6d0b0e3"), into);
    EXPECT_TRUE(reader.closed());
}

TEST(RecordWriter, SealsTheRecordsOfRfc8448) {
    RecordWriter writer(TrafficKeys(AeadSuite::aes_128_gcm,
                                    from_hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"), 0));
    Bytes plain(50), out(200);
    for (std::size_t i = 0; i < 50; ++i) plain[i] = static_cast<std::byte>(i);
    EXPECT_EQ(writer.sealed_size(50), 72u);
    ASSERT_EQ(writer.seal(plain, out), 72u);
    EXPECT_TRUE(std::ranges::equal(
        std::span(out).first(72),
        from_hex("1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b6297"
                 "4e1f5a6292a2977014bd1e3deae63aeebb21694915e4")));
    ASSERT_EQ(writer.seal_alert(TlsAlert::close_notify, out), 24u);
    EXPECT_TRUE(
        std::ranges::equal(std::span(out).first(24), from_hex("1703030013c9872760655666b74d7ff1153efd6db6d0b0e3")));
}

struct EverySuite : testing::TestWithParam<AeadSuite> {};
INSTANTIATE_TEST_SUITE_P(Suites, EverySuite,
                         testing::Values(AeadSuite::aes_128_gcm, AeadSuite::aes_256_gcm, AeadSuite::chacha20_poly1305),
                         [](const auto& test) {
                             return test.param == AeadSuite::aes_128_gcm   ? "Aes128"
                                    : test.param == AeadSuite::aes_256_gcm ? "Aes256"
                                                                           : "ChaCha20";
                         });

TEST_P(EverySuite, WhatTheWriterSealsTheReaderOpensInEveryPieceSize) {
    for (const std::size_t room : {1, 100, 8'192, 16'383, 16'384, 16'385, 65'536, 200'000}) {
        RecordWriter writer(test_keys(GetParam()));
        Reading reading(true, GetParam());
        const auto text = text_of(70'000);
        Bytes out(writer.sealed_size(text.size()));
        ASSERT_EQ(writer.seal(raw_text(text), out), out.size());
        EXPECT_EQ(reading.all(out, room), text) << room;
        EXPECT_EQ(reading.rest, 0u);
    }
}

TEST(RecordReader, WaitsForTheRestOfARecord) {
    RecordSealer peer;
    const auto record = peer.data("hello");
    Reading reading;
    for (std::size_t size = 0; size < record.size(); ++size) {
        EXPECT_EQ(reading.all(Bytes(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size))), "");
        ASSERT_FALSE(reading.reader.over());
    }
    EXPECT_EQ(reading.all(record), "hello");
}

TEST(RecordReader, TakesPaddedRecords) {
    RecordSealer peer;
    const auto ciphertext = peer.data("a", 1) << peer.data("b", 7) << peer.data("c", 8) << peer.data("d", 9)
                                              << peer.data("e", largest_content - 1) << peer.data("", 300)
                                              << peer.data(text_of(20'000 - 4'000), 384);
    Reading reading;
    EXPECT_EQ(reading.all(ciphertext), "abcde" + text_of(16'000));
}

TEST(RecordReader, PaddedRecordsAreGivenToSmallReadersToo) {
    RecordSealer peer;
    const auto ciphertext = peer.data("abc", 1000) << peer.data("def", 2) << peer.alert(0);
    Reading reading;
    EXPECT_EQ(reading.all(ciphertext, 2), "abcdef");
    EXPECT_TRUE(reading.reader.closed());
}

TEST(RecordReader, AGoodbyeEndsItAndNothingBehindIsRead) {
    RecordSealer peer;
    Reading reading;
    EXPECT_EQ(reading.all(peer.data("one") << peer.alert(0) << peer.data("two")), "one");
    EXPECT_TRUE(reading.reader.closed());
    EXPECT_FALSE(reading.reader.refusal());
    EXPECT_EQ(reading.all(peer.data("three")), "");
}

TEST(RecordReader, TellsThePeersAlert) {
    RecordSealer peer;
    Reading reading;
    EXPECT_EQ(reading.all(peer.data("one") << peer.alert(20)), "one");
    EXPECT_EQ(reading.reader.peer_alert(), TlsAlert::bad_record_mac);
    EXPECT_FALSE(reading.reader.refusal());
}

// As Java closes.
TEST(RecordReader, UserCanceledIsNoEnd) {
    RecordSealer peer;
    Reading reading;
    EXPECT_EQ(reading.all(peer.alert(90) << peer.data("still") << peer.alert(0)), "still");
    EXPECT_TRUE(reading.reader.closed());
}

TEST(RecordReader, FollowsKeyUpdates) {
    RecordSealer peer;
    Reading reading;
    EXPECT_EQ(reading.all(peer.data("a") << peer.key_update(0) << peer.data("b")), "ab");
    EXPECT_FALSE(reading.reader.take_key_update_request());
    EXPECT_EQ(reading.all(peer.key_update(1) << peer.data("c") << peer.key_update(1) << peer.data("d")), "cd");
    EXPECT_TRUE(reading.reader.take_key_update_request());
    EXPECT_FALSE(reading.reader.take_key_update_request()) << "one answer to many";
}

TEST(RecordReader, AKeyUpdateMayComeInSeveralRecords) {
    RecordSealer peer;
    auto ciphertext = peer.seal(22, from_hex("1800"))
                      << peer.seal(22, from_hex("0001")) << peer.seal(22, from_hex("01"));
    peer.keys.update();
    Reading reading;
    EXPECT_EQ(reading.all(ciphertext << peer.data("x")), "x");
    EXPECT_TRUE(reading.reader.take_key_update_request());
}

TEST(RecordReader, AClientSkipsTicketsOverSeveralRecordsAndSeveralInOne) {
    RecordSealer peer;
    const Bytes body(20'000, std::byte{0x18});
    const auto ticket = from_hex("04004e20") << body;
    const auto halves =
        peer.seal(22, Bytes(ticket.begin(), ticket.begin() + 3))
        << peer.seal(22, Bytes(ticket.begin() + 3, ticket.begin() + 10'000))
        << peer.seal(22, Bytes(ticket.begin() + 10'000, ticket.end()) << from_hex("04000001ff 04000002 01"));
    const auto end = peer.seal(22, from_hex("02 18000001 00"));
    peer.keys.update();
    Reading reading;
    EXPECT_EQ(reading.all(halves << end << peer.data("x")), "x");
}

struct Refused {
    const char* what;
    TlsAlert alert;
    Bytes (*ciphertext)(RecordSealer&);
    bool is_server = false;
};

Bytes many(int count, const std::function<Bytes()>& one) {
    Bytes all;
    for (int i = 0; i < count; ++i) all = std::move(all) << one();
    return all;
}

const Refused refusals[] = {
    {"length below a tag", TlsAlert::bad_record_mac, [](RecordSealer&) { return from_hex("1703030010") << Bytes(16); }},
    {"length 0", TlsAlert::bad_record_mac, [](RecordSealer&) { return from_hex("1703030000"); }},
    {"length above 2^14 + 256", TlsAlert::record_overflow, [](RecordSealer&) { return from_hex("1703034101"); }},
    {"another version", TlsAlert::decode_error, [](RecordSealer&) { return from_hex("1703010020"); }},
    {"inner text of 2^14 + 2", TlsAlert::record_overflow,
     [](RecordSealer& peer) { return peer.seal(23, Bytes(largest_content + 1)); }},
    {"inner text of 2^14 + 2 with padding", TlsAlert::record_overflow,
     [](RecordSealer& peer) { return peer.seal(23, raw_text("x"), largest_content); }},
    {"inner text of zeros", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal_inner(Bytes(40)); }},
    {"one zero", TlsAlert::unexpected_message, [](RecordSealer& peer) { return peer.seal_inner(Bytes(1)); }},
    {"unknown inner type", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal(24, raw_text("beat")); }},
    {"change_cipher_spec inside", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal(20, from_hex("01")); }},
    {"change_cipher_spec", TlsAlert::unexpected_message, [](RecordSealer&) { return from_hex("140303000101"); }},
    {"alert in the clear", TlsAlert::unexpected_message, [](RecordSealer&) { return from_hex("15030300020100"); }},
    {"handshake in the clear", TlsAlert::unexpected_message,
     [](RecordSealer&) { return from_hex("160303000418000000"); }},
    {"empty handshake", TlsAlert::unexpected_message, [](RecordSealer& peer) { return peer.seal(22, {}); }},
    {"data inside a message", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("1800")) << peer.data("x"); }},
    {"data inside a ticket", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("0400001000")) << peer.data("x"); }},
    {"alert inside a message", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("1800")) << peer.alert(0); }},
    {"message behind a KeyUpdate", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("1800000100 1800000100")); }},
    {"KeyUpdate 2", TlsAlert::illegal_parameter,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("1800000102")); }},
    {"KeyUpdate of 2 bytes", TlsAlert::decode_error,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("180000020000")); }},
    {"KeyUpdate of none", TlsAlert::decode_error,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("18000000")); }},
    {"ticket of none", TlsAlert::decode_error, [](RecordSealer& peer) { return peer.seal(22, from_hex("04000000")); }},
    {"ticket of 16 MiB", TlsAlert::decode_error,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("04ffffff")); }},
    {"ticket to a server", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("04")); }, true},
    {"CertificateRequest", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("0d000003000000")); }},
    {"ClientHello", TlsAlert::unexpected_message, [](RecordSealer& peer) { return peer.seal(22, from_hex("01")); },
     true},
    {"Finished", TlsAlert::unexpected_message, [](RecordSealer& peer) { return peer.seal(22, from_hex("14")); }},
    {"alert of 1 byte", TlsAlert::unexpected_message, [](RecordSealer& peer) { return peer.seal(21, from_hex("01")); }},
    {"alert of 3 bytes", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return peer.seal(21, from_hex("010000")); }},
    {"empty alert", TlsAlert::unexpected_message, [](RecordSealer& peer) { return peer.seal(21, {}); }},
    {"33 empty records", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return many(33, [&] { return peer.data(""); }); }},
    {"33 times user_canceled", TlsAlert::unexpected_message,
     [](RecordSealer& peer) { return many(33, [&] { return peer.alert(90); }); }},
    {"a record left out", TlsAlert::bad_record_mac, [](RecordSealer& peer) { return peer.data("a"), peer.data("b"); }},
    {"old keys behind a KeyUpdate", TlsAlert::bad_record_mac,
     [](RecordSealer& peer) { return peer.seal(22, from_hex("1800000100")) << peer.data("a"); }},
};

TEST(RecordReader, RefusesWhatBreaksTheProtocolWithTheRightAlert) {
    for (const auto& refused : refusals) {
        SCOPED_TRACE(refused.what);
        RecordSealer peer;
        const auto before = peer.data("good");
        Reading reading(refused.is_server);
        EXPECT_EQ(reading.all(before << refused.ciphertext(peer)), "good") << "what came before is given";
        EXPECT_EQ(reading.reader.refusal(), refused.alert)
            << static_cast<int>(reading.reader.refusal().value_or(TlsAlert::close_notify));
        EXPECT_EQ(reading.all(peer.data("more")), "") << "never again";
    }
}

TEST(RecordReader, ThirtyTwoEmptyRecordsInARowAreTaken) {
    RecordSealer peer;
    Reading reading;
    const auto empties = [&] { return many(32, [&] { return peer.data("", 3); }); };
    EXPECT_EQ(reading.all(empties() << peer.data("x") << empties() << peer.data("y")), "xy");
    EXPECT_EQ(reading.turns, 2) << "each row is a turn of its own";
}

// Weeks of them are no reason to end a silent stream.
TEST(RecordReader, KeyUpdatesAreNotCountedButEndATurn) {
    RecordSealer peer;
    Reading reading;
    const auto updates = many(100, [&] { return peer.key_update(0); });
    EXPECT_EQ(reading.all(updates << peer.data("x")), "x");
    EXPECT_EQ(reading.turns, 3);
}

TEST(RecordReader, ABadTagAnywhereInABatchLosesNothingBeforeIt) {
    for (const std::size_t bad : {0, 1, 2}) {
        RecordSealer peer;
        auto ciphertext = peer.data("0000") << peer.data("1111") << peer.data("2222");
        ciphertext[bad * (4 + record_overhead) + record_header_size + 1] ^= std::byte{4};
        Reading reading;
        EXPECT_EQ(reading.all(ciphertext), std::string("00001111").substr(0, bad * 4));
        EXPECT_EQ(reading.reader.refusal(), TlsAlert::bad_record_mac);
    }
}

TEST(RecordReader, NothingOfABadRecordIsSeen) {
    for (const std::size_t room : {std::size_t{10}, std::size_t{20'000}}) {
        RecordSealer peer;
        auto ciphertext = peer.data(text_of(16'000));
        ciphertext.back() ^= std::byte{1};
        RecordReader reader(test_keys(), false);
        Bytes into(room);
        EXPECT_EQ(reader.read(ciphertext, into).produced, 0u);
        EXPECT_EQ(into, Bytes(room));
        EXPECT_FALSE(reader.holds_plaintext());
    }
}

TEST(RecordWriter, AnswersARequestOnceBeforeTheNextData) {
    RecordWriter writer(test_keys());
    Reading reading(true);
    writer.ask_for_new_keys();
    writer.ask_for_new_keys();
    Bytes out(writer.sealed_size(3));
    ASSERT_EQ(writer.seal(raw_text("abc"), out), out.size());
    EXPECT_EQ(out.size(), 5 + 3 + 2 * record_overhead);
    EXPECT_FALSE(writer.answer_due());
    EXPECT_EQ(reading.all(out), "abc");
    EXPECT_FALSE(reading.reader.take_key_update_request()) << "an answer asks for none";
}

TEST(RecordWriter, AnswersWithoutDataToo) {
    RecordWriter writer(test_keys());
    writer.ask_for_new_keys();
    Bytes out(writer.sealed_size(0));
    EXPECT_EQ(writer.seal({}, out), 5 + record_overhead);
    EXPECT_EQ(writer.seal({}, out), 0u);
}

struct Limit : testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Blocks, Limit, testing::Values(1, 2, 3, 7, 1026, 1027, 2052, 5000));

TEST_P(Limit, RenewsItsKeysWhenTheyAreUsedUp) {
    RecordWriter writer(test_keys(), GetParam());
    Reading reading(true);
    std::string sent, received;
    for (const std::size_t size : {1, 100, 16'384, 40'000, 5, 65'536, 16'385}) {
        if (size == 40'000) writer.ask_for_new_keys();
        const auto text = text_of(size);
        Bytes out(writer.sealed_size(size));
        out.resize(writer.seal(raw_text(text), out));
        sent += text;
        received += reading.all(out);
    }
    EXPECT_EQ(sent, received);
    EXPECT_FALSE(reading.reader.over());
}

TEST(RecordWriter, CountsBlocksAsTheCipherUsesThem) {
    RecordWriter writer(test_keys(), 10);
    const auto sealed = [&](std::size_t size) {
        Bytes out(writer.sealed_size(size));
        return writer.seal(Bytes(size), out) - size;
    };
    EXPECT_EQ(sealed(47), record_overhead);  // 4 blocks
    EXPECT_EQ(sealed(32), record_overhead);  // 4
    EXPECT_EQ(sealed(1), record_overhead);   // 2
    EXPECT_EQ(sealed(1), 2 * record_overhead + 5);
    EXPECT_EQ(sealed(100), record_overhead) << "8 more";
    EXPECT_EQ(sealed(1), 2 * record_overhead + 5);
}

TEST(RecordWriter, ChaCha20IsNeverUsedUp) {
    RecordWriter writer(test_keys(AeadSuite::chacha20_poly1305), 1);
    Bytes out(writer.sealed_size(50'000));
    EXPECT_EQ(writer.seal(Bytes(50'000), out), 50'000 + 4 * record_overhead);
}

TEST(RecordWriter, SealsNothingBehindItsGoodbye) {
    RecordWriter writer(test_keys());
    Bytes out(100);
    writer.ask_for_new_keys();
    EXPECT_EQ(writer.seal_alert(TlsAlert::close_notify, out), 2 + record_overhead);
    EXPECT_EQ(writer.seal_alert(TlsAlert::bad_record_mac, out), 0u);
    EXPECT_FALSE(writer.answer_due());
    EXPECT_THROW(writer.seal(raw_text("x"), out), std::runtime_error);
}

TEST(RecordWriter, NeverWritesBeyondItsRoom) {
    RecordWriter writer(test_keys());
    Bytes out(2 + record_overhead);
    EXPECT_THROW(writer.seal(raw_text("abc"), out), std::runtime_error);
}

}  // namespace
}  // namespace device_streams
