#include "hub/http/service_endpoint.hpp"

#include "common/async/join.hpp"
#include "common/iothub/stream_headers.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/tunnel/leg_upgrade.hpp"
#include "common/tunnel/stream_id.hpp"
#include "hub/core/sign_leg.hpp"
#include "hub/http/rest_answer.hpp"
#include "hub/http/stream_access.hpp"
#include "hub/http/streaming_endpoint.hpp"
#include "hub/limits/source_address.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace device_streams::hub {

namespace {

using iothub::RestError;

std::optional<Clock::duration> timeout_of(const http::Request& request, std::string_view header) {
    const auto value = request.headers.find(header);
    if (!value) return std::nullopt;
    const auto timeout = parse_timeout(*value);
    if (!timeout)
        throw RestRefusal(RestError::argument_invalid,
                          "the header " + std::string(header) + " is no number of seconds");
    return timeout;
}

OpenRequest read_open_request(const http::Request& request) {
    auto path = iothub::parse_service_path(request.path());
    if (!path) throw RestRefusal(RestError::argument_invalid, "the path or the stream's name is malformed");
    OpenRequest open_request{path->target,
                             path->name,
                             timeout_of(request, iothub::connect_timeout_header),
                             timeout_of(request, iothub::response_timeout_header),
                             {},
                             {}};
    if (const auto features = request.headers.find(features_header)) open_request.announced = parse_features(*features);
    return open_request;
}

http::Response answer_for(const HubContext& hub, const iothub::Target& target, const RequestResult& result) {
    http::Response response;
    if (const auto* refused = std::get_if<Refused>(&result)) {
        response = error_answer(refused->error, refused->text, hub.clock.wall_now());
        if (refused->retry_after) response.headers.add("Retry-After", std::to_string(refused->retry_after->count()));
        return response;
    }
    const auto* granted = std::get_if<Granted>(&result);
    response.headers.add(std::string(iothub::accepted_header), granted != nullptr ? "True" : "False");
    if (granted == nullptr) return response;
    const auto leg = sign_leg(hub, target, granted->stream_id, StreamRole::service, granted->deadline);
    response.headers.add(std::string(iothub::url_header), leg.url);
    response.headers.add(std::string(iothub::token_header), std::string(leg.token.reveal()));
    if (granted->features) response.headers.add(std::string(features_header), to_string(*granted->features));
    return response;
}

Log log_of(const HubContext& hub, const OpenRequest& open_request, const std::string& peer) {
    return hub.log.with({{"device", open_request.target.to_string()},
                         {"service", service_of(open_request.name)},
                         {"stream", loggable_stream_id(open_request.name)},
                         {"peer", peer}});
}

void log_result(const Log& log, PeerFaultLog& peer_faults, const std::string& peer, const RequestResult& result) {
    if (std::holds_alternative<Rejected>(result)) log.info("stream request rejected by the device");
    const auto* refused = std::get_if<Refused>(&result);
    if (refused == nullptr) return;
    if (refused->error == RestError::throttled)
        peer_faults.report(peer, Errc::throttled, refused->text);  // there may be many
    else
        log.info("stream request failed", {{"error", static_cast<int>(refused->error)}, {"reason", refused->text}});
}

// Tells the resource log how a request was decided, once: at its end at the latest, when the hub itself failed.
class AuditEntry {
 public:
    AuditEntry(HubContext& hub, const OpenRequest& open_request, const http::Request& request)
        : hub_(hub), begun_(hub.clock.now()) {
        decision_.target = open_request.target;
        decision_.name = open_request.name;
        decision_.api_version = iothub::api_version_of(request.target);
        decision_.error = RestError::server_error;
    }
    AuditEntry(const AuditEntry&) = delete;
    AuditEntry& operator=(const AuditEntry&) = delete;
    ~AuditEntry() { tell(); }

    void by(const StreamAccess& access) {
        decision_.policy = access.policy;
        decision_.reason = access.reason;
    }
    void cancelled() { accepted_as("Cancelled"); }
    void as(const RequestResult& result) {
        if (const auto* refusal = std::get_if<Refused>(&result)) {
            decision_.error = refusal->error;
            return tell();
        }
        const auto* granted = std::get_if<Granted>(&result);
        if (granted != nullptr) decision_.stream_id = granted->stream_id;
        accepted_as(granted != nullptr ? "" : "Rejected");
    }

 private:
    void accepted_as(const char* result) {
        decision_.error.reset();
        decision_.result = result;
        tell();
    }
    void tell() {
        if (std::exchange(told_, true)) return;
        decision_.took = hub_.clock.now() - begun_;
        if (decision_.policy.empty())
            hub_.resource_log.add_of_stranger(std::move(decision_));
        else
            hub_.resource_log.add(std::move(decision_));
    }

    HubContext& hub_;
    Clock::time_point begun_;
    StreamDecision decision_;
    bool told_ = false;
};

// nullopt: the service went away.
asio::awaitable<std::optional<RequestResult>> ask_device(HubContext& hub, http::Connection& connection,
                                                         OpenRequest open_request) {
    std::optional<RequestResult> result;
    auto asking = store(hub.broker.request(std::move(open_request)), result);
    co_await first_of(std::move(asking), connection.until_peer_leaves());
    co_return result;
}

// What a request of one peer goes through.
class RequestingService {
 public:
    RequestingService(HubContext& hub, http::Connection& connection, const http::Request& request,
                      const std::string& peer, const OpenRequest& open_request)
        : hub_(hub), connection_(connection), request_(request), peer_(peer), open_request_(open_request) {}

    /// False: denied() says what.
    asio::awaitable<bool> may_ask() {
        Secret authorization(std::string(request_.headers.find("Authorization").value_or("")));
        revocations_ = hub_.broker.revocations();
        access_ = co_await check_stream_access(hub_, std::move(authorization), open_request_.target, open_request_.name,
                                               peer_);
        co_return !access_.denied;
    }
    Refused denied() const { return {access_.denied->error, access_.denied->what()}; }
    const StreamAccess& access() const { return access_; }

    /// nullopt: there is room for the stream, which has its place now.
    std::optional<Refused> take_place() {
        auto place = hub_.quota.open({access_.grant.policy, open_request_.target.device_id, source_of(peer_)});
        if (auto* share = std::get_if<std::shared_ptr<StreamShare>>(&place)) {
            open_request_.share = std::move(*share);
            return std::nullopt;
        }
        const auto& refusal = std::get<QuotaRefusal>(place);
        const bool daily = refusal.limit == QuotaRefusal::Limit::bytes;
        hub_.peer_faults.report(peer_, daily ? Errc::quota_exceeded : Errc::throttled, refusal.text);
        return Refused{daily ? RestError::quota_exceeded : RestError::throttled, refusal.text, refusal.retry_after};
    }

    /// nullopt: the service went away.
    asio::awaitable<std::optional<RequestResult>> open_request() {
        open_request_.grant = access_.grant;
        auto result = co_await ask_device(hub_, connection_, open_request_);
        const auto* granted = result ? std::get_if<Granted>(&*result) : nullptr;
        if (granted == nullptr || hub_.broker.revocations() == revocations_) co_return result;
        const auto request = granted->request;
        const bool still_may = co_await may_ask();
        if (still_may) co_return result;
        hub_.broker.cancel(request);
        co_return RequestResult(denied());
    }

 private:
    HubContext& hub_;
    http::Connection& connection_;
    const http::Request& request_;
    const std::string& peer_;
    OpenRequest open_request_;
    std::uint64_t revocations_ = 0;
    StreamAccess access_;
};

http::Response switch_to_leg(const Granted& granted) {
    http::Response response;
    response.status = 101;
    add_leg_upgrade(response.headers);
    response.headers.add(std::string(iothub::accepted_header), "True");
    response.headers.add(std::string(features_header), to_string(*granted.features));
    return response;
}

// False when the stream ended at the very moment.
asio::awaitable<bool> become_leg(HubContext& hub, http::Connection& connection, const std::string& peer,
                                 const iothub::Target& target, const Granted& granted,
                                 std::optional<UnauthenticatedConnections::Slot>& slot) {
    const LegTokens::Checked place{granted.stream_id, target, StreamRole::service};
    const auto verdict = co_await attach_leg(hub, connection, peer, switch_to_leg(granted), place, slot);
    co_return verdict == Admission::Verdict::admitted;
}

// nullopt: the service went away, or the connection has become its leg.
asio::awaitable<std::optional<http::Response>> answer_request(HubContext& hub, http::Connection& connection,
                                                              const http::Request& request, const std::string& peer,
                                                              std::optional<UnauthenticatedConnections::Slot>& slot,
                                                              PendingLegGuard& pending_leg) {
    const auto open_request = read_open_request(request);
    const auto& target = open_request.target;
    const auto log = log_of(hub, open_request, peer);
    AuditEntry audit_entry(hub, open_request, request);
    RequestingService asking(hub, connection, request, peer, open_request);
    const bool may_ask = co_await asking.may_ask();
    audit_entry.by(asking.access());
    if (!may_ask) {
        audit_entry.as(asking.denied());
        co_return answer_for(hub, target, asking.denied());
    }
    slot.reset();
    if (const auto full = asking.take_place()) {
        audit_entry.as(*full);
        co_return answer_for(hub, target, *full);
    }
    pending_leg.forget();  // who asks again on the connection has not left
    const auto result = co_await asking.open_request();
    if (!result) {
        audit_entry.cancelled();
        log.info("stream request cancelled", {{"reason", "the service went away before the answer"}});
        co_return std::nullopt;
    }
    audit_entry.by(asking.access());
    audit_entry.as(*result);
    log_result(log, hub.peer_faults, peer, *result);
    const auto* granted = std::get_if<Granted>(&*result);
    const bool to_ours = granted != nullptr && granted->features;
    if (to_ours && has_leg_upgrade(request.headers)) {
        const bool became_leg = co_await become_leg(hub, connection, peer, target, *granted, slot);
        if (became_leg) co_return std::nullopt;
    }
    // Services of ours keep the connection until their leg is there, unless somebody on the way ends it with the
    // answer.
    if (to_ours && request.keep_alive) pending_leg.set(granted->request);
    co_return answer_for(hub, target, *result);
}

http::Response method_not_allowed() {
    auto response = plain_error_answer(405, "streams are opened by POST");
    response.headers.add("Allow", "POST");
    return response;
}

}  // namespace

std::optional<Clock::duration> parse_timeout(std::string_view text) {
    double seconds = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
    if (failure != std::errc() || stop != end || !std::isfinite(seconds) || std::signbit(seconds)) return std::nullopt;
    constexpr double year = 365.0 * 24 * 3600;
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, year)));
}

asio::awaitable<bool> serve_stream_request(HubContext& hub, http::Connection& connection, http::Request request,
                                           std::string peer, std::optional<UnauthenticatedConnections::Slot>& slot,
                                           PendingLegGuard& pending_leg) {
    std::optional<http::Response> response;
    try {
        if (request.method == "POST")
            response = co_await answer_request(hub, connection, request, peer, slot, pending_leg);
        else
            response = method_not_allowed();
    } catch (const RestRefusal& refusal) {
        response = error_answer(refusal.error, refusal.what(), hub.clock.wall_now());
    } catch (const Failure& failure) {
        hub.log.error("a stream request could not be checked", {{"peer", peer}, {"reason", explain(failure)}});
        response = error_answer(RestError::server_error, "the hub's registry failed", hub.clock.wall_now());
    }
    if (!response) co_return false;
    co_await send_answer(hub, connection, std::move(peer), std::move(*response));
    co_return true;
}

}  // namespace device_streams::hub
