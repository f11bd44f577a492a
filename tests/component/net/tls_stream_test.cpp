#include "common/tls/tls_stream.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/text/rfc3339.hpp"
#include "common/tls/tls_raw_connection.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/client_certificates.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/socket_pair.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace device_streams {
namespace {

using test::run;
using test::TestCertificates;

const TestCertificates& certificates() {
    static const TestCertificates made;
    return made;
}

using Carriers = std::pair<std::unique_ptr<RawConnection>, std::unique_ptr<RawConnection>>;

struct TlsPair : testing::Test {
    void connect(const std::string& name = "localhost") {
        auto [near, far] = make_carriers();
        client = std::make_unique<TlsStream>(std::move(near), client_context, name);
        server = std::make_unique<TlsStream>(std::move(far), server_context);
    }
    virtual Carriers make_carriers() {
        auto [a, b] = test::make_socket_pair(io.get_executor());
        return {std::make_unique<Socket>(std::move(a)), std::make_unique<Socket>(std::move(b))};
    }
    void handshake() {
        connect();
        run(io, both(client->handshake(), server->handshake()));
    }

    asio::io_context io{1};
    std::shared_ptr<TlsContext> client_context = TlsContext::client(certificates().ca_file);
    std::shared_ptr<TlsContext> server_context =
        TlsContext::server(certificates().certificate_file, certificates().key_file);
    std::unique_ptr<TlsStream> client, server;
};

// Over sockets, and over TLS as through an https proxy.
struct TlsOverAnything : TlsPair, testing::WithParamInterface<bool> {
    Carriers make_carriers() override {
        auto [near, far] = TlsPair::make_carriers();
        if (!GetParam()) return {std::move(near), std::move(far)};
        // As the way to an https proxy, which stays with OpenSSL.
        const auto trusting = TlsContext::client(certificates().ca_file, std::nullopt, RecordPlaneMode::off);
        const auto trusted =
            TlsContext::server(certificates().certificate_file, certificates().key_file, RecordPlaneMode::off);
        auto outer_client = std::make_unique<TlsStream>(std::move(near), trusting, "localhost");
        auto outer_server = std::make_unique<TlsStream>(std::move(far), trusted);
        run(io, both(outer_client->handshake(), outer_server->handshake()));
        return {std::make_unique<TlsRawConnection>(std::move(outer_client)),
                std::make_unique<TlsRawConnection>(std::move(outer_server))};
    }
};
INSTANTIATE_TEST_SUITE_P(Carriers, TlsOverAnything, testing::Bool(),
                         [](const auto& test) { return std::string(test.param ? "Tls" : "Socket"); });

std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 131 + i / 251) & 0xff);
    return bytes;
}

asio::awaitable<void> send_all(ByteStream& to, std::vector<std::byte> bytes) {
    const OutBytes out{bytes, 0};
    co_await to.write_all(out);
}

asio::awaitable<std::vector<std::byte>> receive(ByteStream& from, std::size_t size, std::size_t piece) {
    std::vector<std::byte> all(size);
    for (std::size_t done = 0; done < size;) {
        const auto got = co_await from.read_some(std::span(all).subspan(done, std::min(piece, size - done)));
        if (got == 0) throw std::runtime_error("early end");
        done += got;
    }
    co_return all;
}

asio::awaitable<void> send_and_check(ByteStream& from, ByteStream& to, std::size_t size, std::size_t piece) {
    std::vector<std::byte> received;
    auto take = [](ByteStream& stream, std::size_t n, std::size_t step,
                   std::vector<std::byte>& into) -> asio::awaitable<void> { into = co_await receive(stream, n, step); };
    auto sending = send_all(from, pattern(size));
    auto receiving = take(to, size, piece, received);
    co_await both(std::move(sending), std::move(receiving));
    if (received != pattern(size)) throw std::runtime_error("wrong bytes");
}

TEST_P(TlsOverAnything, CarriesEveryByteInEveryPieceSize) {
    handshake();
    for (const std::size_t piece : {7, 1000, 16384, 65528, 300000})
        run(io, send_and_check(*client, *server, 1'000'000, piece));
    run(io, send_and_check(*server, *client, 5'000'000, 65'528));
}

TEST_P(TlsOverAnything, BothDirectionsAtOnce) {
    handshake();
    run(io,
        both(send_and_check(*client, *server, 8'000'000, 65'528), send_and_check(*server, *client, 8'000'000, 9'999)));
}

TEST_F(TlsPair, OpensslHandsOverBehindTheHandshakeAndTheFirstData) {
    handshake();
    EXPECT_TRUE(server->on_record_plane());
    EXPECT_FALSE(client->on_record_plane()) << "the tickets have not been read yet";
    run(io, send_and_check(*server, *client, 10, 10));
    EXPECT_TRUE(client->on_record_plane());
    run(io, send_and_check(*client, *server, 100'000, 65'528));
}

// ParseContext must go on while writing is blocked: otherwise one stalled direction stops the other.
TEST_P(TlsOverAnything, ABlockedWriterDoesNotStopTheReader) {
    handshake();
    test::Running<void> stuck(io, send_all(*client, pattern(20'000'000)));
    test::poll(io);
    EXPECT_FALSE(stuck.done());
    run(io, send_and_check(*server, *client, 3'000'000, 65'528));
    EXPECT_FALSE(stuck.done());
    run(io, receive(*server, 20'000'000, 65'528));
    test::poll(io);
    EXPECT_TRUE(stuck.done());
}

TEST_P(TlsOverAnything, CloseNotifyEndsTheStreamCleanly) {
    handshake();
    run(io, send_all(*client, pattern(1000)));
    test::Running<void> closing(io, client->close(CloseReason::clean));
    EXPECT_EQ(run(io, receive(*server, 1000, 1000)), pattern(1000));
    std::array<std::byte, 16> room;
    EXPECT_EQ(run(io, server->read_some(room)), 0u);
    EXPECT_TRUE(server->ended());
    run(io, server->close(CloseReason::clean));
    test::poll(io);
    EXPECT_TRUE(closing.done());
}

TEST_P(TlsOverAnything, ShortMessagesAreTakenWithoutWaiting) {
    handshake();
    const auto text = pattern(100);
    EXPECT_TRUE(client->try_write(text));
    EXPECT_EQ(run(io, receive(*server, 100, 100)), text);
}

TEST_P(TlsOverAnything, ShortMessagesAreRefusedWhileOutputWaits) {
    handshake();
    test::Running<void> stuck(io, send_all(*client, pattern(20'000'000)));
    test::poll(io);
    EXPECT_FALSE(client->try_write(pattern(100)));
    client->abort(CloseReason::cancelled);
    test::poll(io);
    EXPECT_TRUE(stuck.done());
}

// What the raw connection took is on its way: reading alone brings it out.
TEST_P(TlsOverAnything, AWriteThatWasCutShortMayBeFollowedByAnother) {
    handshake();
    const auto filler = pattern(65'528);
    std::size_t taken = 0;
    for (;; taken += filler.size()) {
        test::Running<void> writing(io, send_all(*client, filler));
        test::poll(io);
        if (writing.done()) continue;
        writing.cancel();
        test::poll(io);
        break;
    }
    taken += filler.size();  // all of it or none; once ciphertext exists it is all
    auto rest = send_all(*client, pattern(1000));
    auto all = [](ByteStream& from, std::size_t size) -> asio::awaitable<void> {
        const auto received = co_await receive(from, size, 65'528);
        if (!std::equal(received.end() - 1000, received.end(), pattern(1000).begin()))
            throw std::runtime_error("wrong bytes");
    };
    auto receiving = all(*server, taken + 1000);
    run(io, both(std::move(rest), std::move(receiving)));
}

TEST_P(TlsOverAnything, AbortingALostPeerResetsItsConnection) {
    handshake();
    std::array<std::byte, 16> room;
    test::Running<std::size_t> reading(io, server->read_some(room));
    client->abort(CloseReason::lost);
    test::poll(io);
    EXPECT_TRUE(reading.done());
}

TEST_P(TlsOverAnything, ALaterConnectionResumesTheSession) {
    handshake();
    run(io, send_and_check(*server, *client, 10, 10));  // carries the ticket
    EXPECT_FALSE(client->resumed());
    handshake();
    EXPECT_TRUE(client->resumed());
}

// A resumed session has a binding of its own.
TEST_P(TlsOverAnything, BothEndsOfAConnectionAndNoOtherKnowItsBinding) {
    handshake();
    run(io, send_and_check(*server, *client, 10, 10));
    const auto first = client->channel_binding();
    ASSERT_TRUE(first);
    EXPECT_EQ(first, server->channel_binding());
    handshake();
    EXPECT_EQ(client->channel_binding(), server->channel_binding());
    EXPECT_NE(client->channel_binding(), first);
}

Failure whole_failure_of(TlsPair& pair, const std::string& name) {
    pair.connect(name);
    test::Running<void> serving(pair.io, pair.server->handshake());
    try {
        run(pair.io, pair.client->handshake());
    } catch (const Failure& failure) {
        pair.client->abort(CloseReason::cancelled);
        test::poll(pair.io);
        EXPECT_TRUE(serving.done());
        return failure;
    }
    return {Errc::internal, "nothing failed"};
}

Errc failure_of(TlsPair& pair, const std::string& name) {
    return whole_failure_of(pair, name).errc();
}

TEST_P(TlsOverAnything, AnotherNameIsNotTrusted) {
    EXPECT_EQ(failure_of(*this, "elsewhere.example"), Errc::hub_untrusted);
}

TEST_F(TlsPair, AnotherAddressIsNotTrusted) {
    EXPECT_EQ(failure_of(*this, "127.0.0.2"), Errc::hub_untrusted);
}

TEST_F(TlsPair, ACommonNameIsNoNameOfAServer) {
    const auto authority = test::make_certificate({.common_names = {"CA"}, .authority = true});
    const auto own = test::make_certificate({.common_names = {"localhost"}, .issuer = &authority});
    const test::ScratchFolder folder;
    client_context = TlsContext::client(folder.write("ca.pem", authority.certificate));
    server_context = TlsContext::server(folder.write("own.pem", own.certificate), folder.write("own.key", own.key));
    EXPECT_EQ(failure_of(*this, "localhost"), Errc::hub_untrusted);
}

TEST_F(TlsPair, AnExpiredCertificateIsNotTrustedWhereASessionIsResumed) {
    const auto soon = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) + 2;
    const auto own = test::make_certificate({.not_after = soon, .alternative_names = "DNS:localhost"});
    const test::ScratchFolder folder;
    const auto file = folder.write("own.pem", own.certificate);
    client_context = TlsContext::client(file);
    server_context = TlsContext::server(file, folder.write("own.key", own.key));
    handshake();
    run(io, send_and_check(*server, *client, 10, 10));  // carries the ticket
    handshake();
    EXPECT_TRUE(client->resumed());
    run(io, send_and_check(*server, *client, 10, 10));
    while (std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) <= soon)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(failure_of(*this, "localhost"), Errc::certificate_expired);
}

TEST_F(TlsPair, AnExpiredCertificateIsNamedWithItsDate) {
    const auto own = test::make_certificate({.not_after = 1'700'000'000, .alternative_names = "DNS:localhost"});
    const test::ScratchFolder folder;
    const auto file = folder.write("own.pem", own.certificate);
    client_context = TlsContext::client(file);
    server_context = TlsContext::server(file, folder.write("own.key", own.key));
    const auto failure = whole_failure_of(*this, "localhost");
    EXPECT_EQ(failure.errc(), Errc::certificate_expired);
    EXPECT_EQ(failure.detail().find("the certificate of localhost expired at 2023-11-14T22:13:20Z, and by this clock"),
              0U)
        << failure.detail();
    client_context = TlsContext::client("");
    EXPECT_EQ(failure_of(*this, "localhost"), Errc::hub_untrusted) << "another authority is no matter of dates";
}

TEST_F(TlsPair, AnUnknownAuthorityIsNotTrusted) {
    const TestCertificates strangers;
    client_context = TlsContext::client(strangers.ca_file);
    EXPECT_EQ(failure_of(*this, "localhost"), Errc::hub_untrusted);
}

// As they are to a machine whose clock stands years back.
struct NewCertificates {
    explicit NewCertificates(const std::string& name) {
        const auto month = std::chrono::hours(30 * 24);
        const auto now = std::chrono::system_clock::now();
        const auto authority = hub::make_authority("test CA", now);
        const auto issued = hub::issue_server_certificate(authority, {name}, now + month);
        ca_file = folder.write("ca.pem", authority.certificate);
        server = TlsContext::server(folder.write("server.pem", issued.certificate),
                                    folder.write("server.key", issued.key.reveal()));
    }
    test::ScratchFolder folder;
    std::string ca_file;
    std::shared_ptr<TlsContext> server;
};

TEST_F(TlsPair, AClockBehindTheCertificateIsNamedWithBothDates) {
    const NewCertificates new_ones("localhost");
    client_context = TlsContext::client(new_ones.ca_file);
    server_context = new_ones.server;
    const auto failure = whole_failure_of(*this, "localhost");
    EXPECT_EQ(failure.errc(), Errc::clock_behind);
    const auto day = [](auto when) {
        return format_rfc3339(std::chrono::floor<std::chrono::days>(when)).substr(0, 10);
    };
    const auto now = std::chrono::system_clock::now();
    const auto valid_from = new_ones.server->own_certificate()->not_before;
    const auto text = failure.detail();
    EXPECT_NE(text.find("of localhost is valid from " +
                        day(std::chrono::system_clock::time_point(std::chrono::seconds(valid_from)))),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("by this clock it is " + day(now)), std::string::npos) << text;
}

TEST_F(TlsPair, AClockBehindIsNoExcuseForAnotherAuthorityOrName) {
    const NewCertificates new_ones("localhost");
    server_context = new_ones.server;
    EXPECT_EQ(failure_of(*this, "localhost"), Errc::hub_untrusted);
    client_context = TlsContext::client(new_ones.ca_file);
    EXPECT_EQ(failure_of(*this, "elsewhere.example"), Errc::hub_untrusted);
}

// A client that asks for new keys again and again and never reads the replies.
struct KeyUpdateFlood {
    KeyUpdateFlood(int fd, const std::string& ca_file) : context(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX_load_verify_file(context, ca_file.c_str());
        ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        SSL_set_connect_state(ssl);
    }
    ~KeyUpdateFlood() {
        SSL_free(ssl);
        SSL_CTX_free(context);
    }
    // How many updates went out before the socket was full.
    int send(int most) {
        for (int sent = 0; sent < most; ++sent) {
            SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
            if (SSL_do_handshake(ssl) != 1) return sent;
        }
        return most;
    }
    SSL_CTX* context;
    SSL* ssl = nullptr;
};

TEST_F(TlsPair, AFloodOfKeyUpdatesWithoutReadingGrowsNothing) {
    auto [a, b] = test::make_socket_pair(io.get_executor());
    server = std::make_unique<TlsStream>(std::move(a), server_context);
    KeyUpdateFlood flood(b.handle(), certificates().ca_file);
    test::Running<void> serving(io, server->handshake());
    while (!serving.done()) {
        SSL_do_handshake(flood.ssl);
        test::poll(io);
    }
    std::array<std::byte, 64> room;
    test::Running<std::size_t> reading(io, server->read_some(room));
    int sent = 0;
    for (int quiet = 0; quiet < 3 && sent < 200'000 && !reading.done();) {
        const int now = flood.send(1000);
        sent += now;
        quiet = now == 0 ? quiet + 1 : 0;
        test::poll(io);
        ASSERT_LE(server->pending_output(), 8u * 1024);
    }
    EXPECT_GT(sent, 100);
    reading.cancel();
    test::poll(io);
}

TEST_F(TlsPair, GarbageInsteadOfAHandshakeIsReported) {
    auto [a, b] = test::make_socket_pair(io.get_executor());
    server = std::make_unique<TlsStream>(std::move(a), server_context);
    b.try_send(std::as_bytes(std::span("GET / HTTP/1.1\r\n\r\n")));
    try {
        run(io, server->handshake());
        FAIL() << "garbage was taken for TLS";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::peer_tls_failed);
    }
}

TEST_F(TlsPair, APeerThatLeavesDuringTheHandshakeIsReported) {
    auto [a, b] = test::make_socket_pair(io.get_executor());
    server = std::make_unique<TlsStream>(std::move(a), server_context);
    b.close();
    try {
        run(io, server->handshake());
        FAIL() << "no peer, no handshake";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::peer_tls_failed);
        EXPECT_NE(std::string(failure.what()).find("closed"), std::string::npos) << failure.what();
    }
}

TEST(TlsContext, FilesThatCannotBeUsedAreNamed) {
    try {
        TlsContext::client("/nonexistent/ca.pem");
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::file_unreadable);
        EXPECT_NE(failure.detail().find("/nonexistent/ca.pem"), std::string::npos);
    }
    const TestCertificates other;
    try {
        TlsContext::server(certificates().certificate_file, other.key_file);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::certificate_unusable);
    }
}

}  // namespace
}  // namespace device_streams
