#pragma once

#include "common/base/clock.hpp"
#include "common/base/endpoint.hpp"
#include "common/http/connection.hpp"
#include "common/net/tls_context.hpp"
#include "common/ws/ws_stream.hpp"
#include "service-proxy/rest_call.hpp"

#include <exception>
#include <memory>
#include <string>

namespace device_streams::service {

/// What went wrong while talking to the hub as a Failure (DS-201 to DS-206) that says where; Failures pass as they are.
/// Cancellation must be sorted out before.
Failure hub_failure(const std::exception_ptr& cause, const std::string& where);

/// TCP and TLS to `where`, whose certificate must be for `server_name`, both within `limit`. Throws Failure.
asio::awaitable<std::unique_ptr<http::Connection>> connect_to_hub(Endpoint where, std::string server_name,
                                                                  std::shared_ptr<const TlsContext> tls,
                                                                  Clock::duration limit, Clock& clock);

/// Makes the connection the service's leg of a granted stream, within `limit`. Throws Failure: DS-210 when the hub
/// refuses it, else as above.
asio::awaitable<std::unique_ptr<ws::WsStream>> open_leg(std::unique_ptr<http::Connection> connection,
                                                        GrantedStream granted, Clock::duration limit, Clock& clock);

}  // namespace device_streams::service
