#include "common/tls/openssl_session.hpp"

#include "common/tls/memory_connection.hpp"
#include "tests/support/client_certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>

namespace device_streams {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

std::string pattern(std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
    return text;
}

// How one end is set up.
struct Side {
    bool hands_over = true;
    int version = TLS1_3_VERSION;
    std::string groups = "X25519:P-256";
    std::string suites = "TLS_AES_128_GCM_SHA256";
    unsigned char fragment = TLSEXT_max_fragment_length_DISABLED;
    int tickets = 1;       // of OpenSSL's own; one that hands over makes one
    int certificates = 0;  // in its chain, beside its own
    SSL_SESSION* session = nullptr;
};

Context make_context(const SSL_METHOD* method, const Side& side) {
    Context context(SSL_CTX_new(method), SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), side.version);
    SSL_CTX_set_max_proto_version(context.get(), side.version);
    SSL_CTX_set1_groups_list(context.get(), side.groups.c_str());
    SSL_CTX_set_ciphersuites(context.get(), side.suites.c_str());
    SSL_CTX_set_num_tickets(context.get(), side.hands_over ? 0 : static_cast<std::size_t>(side.tickets));
    if (side.hands_over) tell_secrets(context.get());
    if (side.fragment != TLSEXT_max_fragment_length_DISABLED)
        SSL_CTX_set_tlsext_max_fragment_length(context.get(), side.fragment);
    return context;
}

void show_certificate(SSL_CTX* context) {
    static const auto own = test::make_certificate({.common_names = {"localhost"}});
    const auto read = [](const std::string& pem) {
        return std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                         BIO_free);
    };
    X509* const certificate = PEM_read_bio_X509(read(own.certificate).get(), nullptr, nullptr, nullptr);
    EVP_PKEY* const key = PEM_read_bio_PrivateKey(read(own.key).get(), nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

// One of the two that talk.
class End {
 public:
    End(SSL* ssl, bool is_server, const Side& side, MemoryConnection::Bytes& incoming,
        MemoryConnection::Bytes& outgoing)
        : connection(incoming),
          session(std::make_unique<OpensslSession>(ssl, is_server, side.hands_over)),
          outgoing_(outgoing) {}

    bool shake_hands() {
        const auto step = session->shake_hands(connection, out_);
        EXPECT_NE(step, OpensslSession::Step::failed) << session->failure();
        send();
        if (step == OpensslSession::Step::done) take_over();
        return step == OpensslSession::Step::done;
    }
    void say(const std::string& text) {
        records().seal(std::as_bytes(std::span(text)), out_);
        send();
    }
    std::string hear(std::size_t room = 70'000) {
        std::string text;
        std::vector<std::byte> into(room);
        do {
            last = records().read(connection, into, out_, 4096);
            text.append(reinterpret_cast<const char*>(into.data()), last.size);
            send();
            if (last.has_successor) take_over();
        } while (!last.dry && !last.ended && !last.failure && !last.reply_refused);
        return text;
    }
    void say_goodbye() {
        records().say_goodbye(out_);
        send();
    }
    bool on_plane() const { return plane != nullptr; }
    RecordLayer& records() { return plane ? *plane : *session; }

    MemoryConnection connection;
    std::unique_ptr<OpensslSession> session;
    std::unique_ptr<RecordLayer> plane;
    RecordLayer::Read last;

 private:
    void take_over() {
        plane = session->successor();
        if (plane) session.reset();
    }
    void send() {
        outgoing_.insert(outgoing_.end(), out_.bytes().begin(), out_.bytes().end());
        out_.clear();
    }

    MemoryConnection::Bytes& outgoing_;
    Ciphertext out_;
};

// A client and a server that have not spoken yet.
struct Talk {
    explicit Talk(const Side& client_side = {}, const Side& server_side = {})
        : server_context(make_context(TLS_server_method(), server_side)),
          client_context(make_context(TLS_client_method(), client_side)) {
        show_certificate(server_context.get());
        SSL_CTX_set_session_cache_mode(client_context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL* const accepting = SSL_new(server_context.get());
        SSL* const connecting = SSL_new(client_context.get());
        SSL_set_accept_state(accepting);
        SSL_set_connect_state(connecting);
        server.emplace(accepting, true, server_side, to_server, to_client);
        client.emplace(connecting, false, client_side, to_client, to_server);
    }
    bool shake_hands() {
        bool client_done = false, server_done = false;
        for (int i = 0; i < 20'000 && !(client_done && server_done); ++i) {
            client_done = client_done || client->shake_hands();
            server_done = server_done || server->shake_hands();
        }
        return client_done && server_done;
    }
    void exchange(std::size_t size) {
        client->say(pattern(size));
        EXPECT_TRUE(server->hear() == pattern(size)) << size;
        server->say(pattern(size + 1));
        EXPECT_TRUE(client->hear() == pattern(size + 1)) << size;
    }

    Context server_context, client_context;
    MemoryConnection::Bytes to_server, to_client;
    std::optional<End> server, client;
};

const Side by_openssl{.hands_over = false};

struct EveryEnd : testing::TestWithParam<std::tuple<const char*, bool, bool>> {};
INSTANTIATE_TEST_SUITE_P(Ends, EveryEnd,
                         testing::Combine(testing::Values("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                                          "TLS_CHACHA20_POLY1305_SHA256"),
                                          testing::Bool(), testing::Bool()),
                         [](const auto& test) {
                             return std::string(std::get<0>(test.param)).substr(4) +
                                    (std::get<1>(test.param) ? "_client" : "") +
                                    (std::get<2>(test.param) ? "_server" : "");
                         });

TEST_P(EveryEnd, BytesPassWhoeverHandsOver) {
    const auto [suites, client_hands_over, server_hands_over] = GetParam();
    Talk talk({.hands_over = client_hands_over, .suites = suites}, {.hands_over = server_hands_over, .suites = suites});
    ASSERT_TRUE(talk.shake_hands());
    for (const std::size_t size : {1, 100, 16'384, 16'385, 200'000}) talk.exchange(size);
    EXPECT_EQ(talk.client->on_plane(), client_hands_over);
    EXPECT_EQ(talk.server->on_plane(), server_hands_over);
    talk.client->say_goodbye();
    EXPECT_EQ(talk.server->hear(), "");
    EXPECT_TRUE(talk.server->last.ended);
    EXPECT_FALSE(talk.server->last.failure);
}

TEST(OpensslSession, TheServerHandsOverAtOnceAndTheClientWithTheFirstData) {
    Talk talk;
    ASSERT_TRUE(talk.shake_hands());
    EXPECT_TRUE(talk.server->on_plane());
    EXPECT_EQ(talk.client->hear(), "") << "takes the ticket";
    EXPECT_FALSE(talk.client->on_plane());
    talk.server->say("x");
    EXPECT_EQ(talk.client->hear(), "x");
    EXPECT_TRUE(talk.client->on_plane());
}

TEST(OpensslSession, StaysWithOpensslWhatThePlaneDoesNotKnow) {
    std::vector<std::string> told;
    for (const auto& [client, server] :
         {std::pair(Side{.version = TLS1_2_VERSION}, Side{.version = TLS1_2_VERSION}),
          std::pair(Side{.fragment = TLSEXT_max_fragment_length_512}, Side{}),
          std::pair(Side{.suites = "TLS_AES_128_CCM_SHA256"}, Side{.suites = "TLS_AES_128_CCM_SHA256"})}) {
        Talk talk(client, server);
        ASSERT_TRUE(talk.shake_hands());
        for (const std::size_t size : {1, 40'000}) talk.exchange(size);
        EXPECT_FALSE(talk.client->on_plane());
        EXPECT_FALSE(talk.server->on_plane());
        told.push_back(talk.server->records().description());
    }
    EXPECT_EQ(told, (std::vector<std::string>{"TLSv1.2, OpenSSL: no TLS 1.3",
                                              "TLSv1.3, OpenSSL: a fragment length was agreed on",
                                              "TLSv1.3, OpenSSL: another cipher suite"}));
}

TEST(OpensslSession, AHandOverFollowsAHelloRetryRequest) {
    Talk talk({.groups = "X25519:P-384"}, {.groups = "P-384"});
    ASSERT_TRUE(talk.shake_hands());
    talk.exchange(100'000);
    EXPECT_TRUE(talk.client->on_plane() && talk.server->on_plane());
}

// Two, one or none, in front of the first data.
TEST(OpensslSession, TheClientCountsTheTicketsOfAnyServer) {
    for (const int tickets : {0, 1, 2, 5}) {
        Talk talk({}, {.hands_over = false, .tickets = tickets});
        ASSERT_TRUE(talk.shake_hands());
        talk.exchange(1000);
        talk.exchange(100'000);
        EXPECT_TRUE(talk.client->on_plane()) << tickets;
    }
}

TEST(OpensslSession, DataMayComeWithTheLastFlightOfTheHandshake) {
    Talk talk;
    while (!talk.client->shake_hands()) talk.server->shake_hands();
    talk.client->say("early");  // in one piece with Finished
    ASSERT_TRUE(talk.server->shake_hands());
    EXPECT_EQ(talk.server->hear(), "early");
    talk.exchange(1000);
}

// The hand-over may fall anywhere in what comes.
TEST(OpensslSession, BytesMayComeOneByOne) {
    Talk talk;
    talk.client->connection.most_at_once = talk.server->connection.most_at_once = 1;
    ASSERT_TRUE(talk.shake_hands());
    const auto hear = [](End& end, std::size_t size) {
        std::string text;
        for (int i = 0; i < 100'000 && text.size() < size; ++i) text += end.hear();
        return text;
    };
    talk.server->say(pattern(100));
    talk.server->say(pattern(200));
    EXPECT_EQ(hear(*talk.client, 300), pattern(100) + pattern(200));
    talk.client->say(pattern(20'000));
    EXPECT_EQ(hear(*talk.server, 20'000), pattern(20'000));
    EXPECT_TRUE(talk.client->on_plane());
}

TEST(OpensslSession, TheFirstDataMayBeSplitAnywhere) {
    for (std::size_t cut = 1; cut < 80; ++cut) {
        Talk talk;
        ASSERT_TRUE(talk.shake_hands());
        talk.client->hear();
        talk.server->say(pattern(30));
        MemoryConnection::Bytes later(
            talk.to_client.begin() + static_cast<std::ptrdiff_t>(std::min(cut, talk.to_client.size())),
            talk.to_client.end());
        talk.to_client.resize(talk.to_client.size() - later.size());
        auto text = talk.client->hear();
        talk.client->say("meanwhile");
        talk.to_client.insert(talk.to_client.end(), later.begin(), later.end());
        text += talk.client->hear();
        ASSERT_EQ(text, pattern(30)) << cut;
        ASSERT_EQ(talk.server->hear(), "meanwhile");
        talk.exchange(100);
        ASSERT_TRUE(talk.client->on_plane());
    }
}

// A reader that takes little at a time makes OpenSSL keep the rest of a record.
TEST(OpensslSession, HandsOverOnceARecordIsReadToItsEnd) {
    for (const std::size_t room : {1, 7, 100}) {
        Talk talk;
        ASSERT_TRUE(talk.shake_hands());
        talk.server->say(pattern(250));
        talk.server->say(pattern(50));
        EXPECT_EQ(talk.client->hear(room), pattern(250) + pattern(50));
        EXPECT_TRUE(talk.client->on_plane());
        talk.exchange(1000);
    }
}

TEST(OpensslSession, KeysThatWereRenewedBeforeKeepItWithOpenssl) {
    Talk talk({}, by_openssl);
    ASSERT_TRUE(talk.shake_hands());
    SSL_key_update(talk.server->session->handle(), SSL_KEY_UPDATE_REQUESTED);
    for (const std::size_t size : {1, 40'000}) talk.exchange(size);
    EXPECT_FALSE(talk.client->on_plane());
}

TEST(OpensslSession, KeysMayBeRenewedAtAnyTimeBehindTheHandOver) {
    for (const bool server_hands_over : {true, false}) {
        Talk talk({.hands_over = !server_hands_over}, {.hands_over = server_hands_over});
        ASSERT_TRUE(talk.shake_hands());
        if (!server_hands_over) talk.exchange(1);
        auto& other = server_hands_over ? *talk.client : *talk.server;
        for (int i = 0; i < 5; ++i) {
            SSL_key_update(other.session->handle(),
                           i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
            talk.exchange(static_cast<std::size_t>(1 + 30'000 * i));
        }
        EXPECT_TRUE((server_hands_over ? *talk.server : *talk.client).on_plane());
    }
}

TEST(OpensslSession, ARequestForNewKeysIsAnsweredWithoutData) {
    Talk talk(by_openssl, {});
    ASSERT_TRUE(talk.shake_hands());
    talk.exchange(1);
    SSL_key_update(talk.client->session->handle(), SSL_KEY_UPDATE_REQUESTED);
    talk.client->say("x");
    EXPECT_EQ(talk.server->hear(), "x");
    EXPECT_EQ(talk.to_client.size(), 27u);
    EXPECT_EQ(talk.client->hear(), "");
    talk.exchange(10);
}

TEST(OpensslSession, TheEndOfTheConnectionIsTheEndOfTheStream) {
    Talk talk;
    ASSERT_TRUE(talk.shake_hands());
    talk.client->say("last");
    talk.server->connection.ended = true;
    EXPECT_EQ(talk.server->hear(), "last");
    EXPECT_EQ(talk.server->hear(), "");
    EXPECT_TRUE(talk.server->last.ended);
}

TEST(OpensslSession, ABadRecordEndsItWithAnAlert) {
    Talk talk(by_openssl, {});
    ASSERT_TRUE(talk.shake_hands());
    talk.exchange(1);
    talk.client->say("good");
    talk.client->say("bad");
    talk.to_server.back() ^= std::byte{1};
    EXPECT_EQ(talk.server->hear(), "good");
    ASSERT_TRUE(talk.server->last.failure);
    EXPECT_THROW(std::rethrow_exception(talk.server->last.failure), StreamError);
    EXPECT_THROW(talk.server->say("more"), StreamError);
    EXPECT_EQ(talk.client->hear(), "");
    ASSERT_TRUE(talk.client->last.failure) << "the peer has been told";
}

TEST(OpensslSession, TheSessionIsKeptByTheClientAndResumed) {
    Talk first;
    ASSERT_TRUE(first.shake_hands());
    SSL* const connection = first.client->session->handle();
    first.client->hear();
    SSL_SESSION* const session = SSL_get1_session(connection);
    ASSERT_EQ(SSL_SESSION_is_resumable(session), 1);
    SSL* const again = SSL_new(first.client_context.get());
    SSL* const accepting = SSL_new(first.server_context.get());
    SSL_set_connect_state(again);
    SSL_set_accept_state(accepting);
    SSL_set_session(again, session);
    SSL_SESSION_free(session);
    first.to_client.clear();
    first.client.emplace(again, false, Side(), first.to_client, first.to_server);
    first.server.emplace(accepting, true, Side(), first.to_server, first.to_client);
    ASSERT_TRUE(first.shake_hands());
    first.exchange(50'000);
    EXPECT_TRUE(first.client->records().resumed());
    EXPECT_TRUE(first.server->records().resumed());
    EXPECT_EQ(first.client->records().channel_binding(), first.server->records().channel_binding());
    EXPECT_TRUE(first.client->on_plane());
}

TEST(OpensslSession, SecretsAreToldToWhoCollectsThemAlone) {
    TrafficSecrets secrets;
    secrets.take("CLIENT_HANDSHAKE_TRAFFIC_SECRET 00 ff");
    EXPECT_TRUE(secrets.client().empty());
    secrets.take("CLIENT_TRAFFIC_SECRET_0 0011 0aff");
    secrets.take("SERVER_TRAFFIC_SECRET_0 0011 not hex");
    EXPECT_EQ(secrets.client().size(), 2u);
    EXPECT_EQ(secrets.client()[1], std::byte{0xff});
    EXPECT_TRUE(secrets.server().empty());
    EXPECT_FALSE(secrets.renewed());
    secrets.take("SERVER_TRAFFIC_SECRET_N 0011 0a");
    EXPECT_TRUE(secrets.renewed());
    secrets.take("");
    secrets.take("CLIENT_TRAFFIC_SECRET_0");
}

TEST(RecordCounter, CountsProtectedRecordsInPiecesOfAnySize) {
    const auto record = [](int type, std::size_t size) {
        std::vector<std::byte> bytes(5 + size, std::byte{23});
        bytes[0] = static_cast<std::byte>(type);
        bytes[3] = static_cast<std::byte>(size >> 8);
        bytes[4] = static_cast<std::byte>(size & 0xff);
        return bytes;
    };
    std::vector<std::byte> all;
    for (const auto& one : {record(23, 300), record(20, 1), record(23, 0), record(22, 40), record(23, 16'401)})
        all.insert(all.end(), one.begin(), one.end());
    for (const std::size_t piece : {1, 3, 5, 307, 100'000}) {
        RecordCounter counter;
        for (auto rest = ReadableBytes(all); !rest.empty();) {
            const auto next = rest.first(std::min(piece, rest.size()));
            counter.add(next);
            rest = rest.subspan(next.size());
        }
        EXPECT_EQ(counter.data_records(), 3u) << piece;
        EXPECT_TRUE(counter.between_records());
        counter.add(std::span(all).first(4));
        EXPECT_FALSE(counter.between_records());
    }
}

TEST(Rehearsal, GoesWellHere) {
    EXPECT_TRUE(record_plane_works());
}

}  // namespace
}  // namespace device_streams
