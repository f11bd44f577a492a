#include "hub/http/service_endpoint.hpp"

#include "common/async/join.hpp"
#include "common/iothub/refusal_reason.hpp"
#include "common/tunnel/leg_upgrade.hpp"
#include "common/tunnel/stream_id.hpp"
#include "common/tunnel/stream_owner.hpp"
#include "hub/http/audit_entry.hpp"
#include "hub/http/rest_answer.hpp"
#include "hub/http/stream_access.hpp"
#include "hub/http/stream_messages.hpp"
#include "hub/http/streaming_endpoint.hpp"
#include "hub/limits/source_address.hpp"

namespace device_streams::hub {

namespace {

using iothub::RestError;

// One stream request of a service, from its credential to the answer or the leg.
class StreamRequestHandler {
 public:
    // Throws RequestRefused for a request that is malformed.
    StreamRequestHandler(ClientConnection& client, const http::Request& request)
        : client_(client),
          hub_(client.hub),
          request_(request),
          open_request_(read_open_request(request)),
          log_(hub_.log.with({{"device", open_request_.target.to_string()},
                              {"service", service_of(open_request_.name)},
                              {"stream", loggable_stream_id(open_request_.name)},
                              {"peer", client.peer}})),
          audit_entry_(hub_, client_.peer, open_request_, request) {}

    // nullopt: the service went away, or the connection has become its leg.
    asio::awaitable<std::optional<http::Response>> run() {
        co_await check_access();
        if (access_.refused) co_return refuse(*access_.refused);
        client_.slot.reset();
        if (const auto refused = take_share()) co_return refuse(*refused);
        client_.pending_leg.forget();  // a service that asks again on its connection has not left
        const auto result = co_await ask_device();
        if (!result) {
            audit_entry_.cancelled();
            log_.info("stream request cancelled", {{"reason", "the service went away before the answer"}});
            co_return std::nullopt;
        }
        audit_entry_.as(*result);
        log_result(*result);
        if (const auto* granted = std::get_if<Granted>(&*result)) co_return co_await answer_granted(*granted);
        auto response = stream_answer(hub_, open_request_.target, *result);
        add_reason(response, *result);
        co_return response;
    }

 private:
    // For services of ours.
    void add_reason(http::Response& response, const RequestResult& result) const {
        const auto* rejected = std::get_if<Rejected>(&result);
        if (rejected == nullptr || !rejected->reason || !open_request_.announced) return;
        const auto code = iothub::wire_name(*rejected->reason);
        if (code && open_request_.announced->reasons)
            response.headers.add(std::string(iothub::reason_header), std::string(*code));
    }

    asio::awaitable<void> check_access() {
        revocations_ = hub_.broker.revocations();
        Secret authorization(std::string(request_.headers.find("Authorization").value_or("")));
        access_ = co_await check_stream_access(client_, std::move(authorization), open_request_);
        audit_entry_.by(access_);
    }

    // nullopt: there is room for the stream, which has its share now.
    std::optional<Refused> take_share() {
        auto opened = hub_.quota.open({access_.grant.policy, open_request_.target.device_id, source_of(client_.peer)});
        if (auto* share = std::get_if<std::shared_ptr<StreamShare>>(&opened)) {
            open_request_.share = std::move(*share);
            return std::nullopt;
        }
        const auto& full = std::get<QuotaRefused>(opened);
        const bool daily = full.limit == QuotaRefused::Limit::bytes;
        client_.report(daily ? Errc::quota_exceeded : Errc::throttled, full.text);
        return Refused{daily ? RestError::quota_exceeded : RestError::throttled, full.text, full.retry_after};
    }

    // nullopt: the service went away.
    asio::awaitable<std::optional<RequestResult>> ask_device() {
        open_request_.grant = access_.grant;
        std::optional<RequestResult> result;
        auto asking = store(hub_.broker.request(open_request_), result);
        co_await first_of(std::move(asking), client_.http.until_peer_leaves());
        const auto* granted = result ? std::get_if<Granted>(&*result) : nullptr;
        if (granted == nullptr || hub_.broker.revocations() == revocations_) co_return result;
        const auto number = granted->request;
        co_await check_access();
        if (!access_.refused) co_return result;
        hub_.broker.cancel(number);
        co_return RequestResult(*access_.refused);
    }

    // Services of ours may make their connection the leg, or keep it until their leg is there.
    asio::awaitable<std::optional<http::Response>> answer_granted(const Granted& granted) {
        const auto& target = open_request_.target;
        if (granted.features && has_leg_upgrade(request_.headers)) {
            const LegTokens::Checked leg{granted.stream_id, target, StreamRole::service};
            const auto verdict = co_await attach_leg(client_, leg_upgrade_answer(granted), leg);
            if (verdict == Admission::Verdict::admitted) co_return std::nullopt;
            // The stream ended at the very moment.
        }
        const bool stays = request_.keep_alive && is_stream_owner(request_.headers, client_.http.transport());
        if (granted.features && stays) client_.pending_leg.set(granted.request);
        co_return stream_answer(hub_, target, granted);
    }

    http::Response refuse(const Refused& refused) {
        audit_entry_.as(refused);
        return stream_answer(hub_, open_request_.target, refused);
    }

    void log_result(const RequestResult& result) const {
        if (const auto* rejected = std::get_if<Rejected>(&result)) log_rejection(*rejected);
        const auto* refused = std::get_if<Refused>(&result);
        if (refused == nullptr) return;
        if (refused->error == RestError::throttled)
            client_.report(Errc::throttled, refused->text);  // there may be many
        else
            log_.info("stream request failed",
                      {{"error", static_cast<int>(refused->error)}, {"reason", refused->text}});
    }

    void log_rejection(const Rejected& rejected) const {
        if (!rejected.reason) return log_.info("stream request rejected by the device");
        const auto& info = device_streams::describe(*rejected.reason);
        log_.info("stream request rejected by the device", {{"code", info.id}, {"reason", info.summary}});
    }

    ClientConnection& client_;
    HubContext& hub_;
    const http::Request& request_;
    OpenRequest open_request_;
    const Log log_;
    AuditEntry audit_entry_;
    StreamAccess access_;
    std::uint64_t revocations_ = 0;
};

http::Response method_not_allowed() {
    auto response = plain_error_answer(405, "streams are opened by POST");
    response.headers.add("Allow", "POST");
    return response;
}

}  // namespace

asio::awaitable<bool> serve_stream_request(ClientConnection& client, const http::Request& request) {
    const auto& hub = client.hub;
    std::optional<http::Response> response;
    try {
        if (request.method == "POST") {
            StreamRequestHandler handler(client, request);
            response = co_await handler.run();
        } else {
            response = method_not_allowed();
        }
    } catch (const RequestRefused& refusal) {
        response = error_answer(refusal.error, refusal.what(), hub.clock.wall_now());
    } catch (const Failure& failure) {
        hub.log.error("a stream request could not be checked", {{"peer", client.peer}, {"reason", explain(failure)}});
        response = error_answer(RestError::server_error, "the hub's registry failed", hub.clock.wall_now());
    }
    if (!response) co_return false;
    co_await client.send(std::move(*response));
    co_return true;
}

}  // namespace device_streams::hub
