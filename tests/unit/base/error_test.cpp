#include "common/base/error.hpp"

#include <asio/error.hpp>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace device_streams {
namespace {

/// In the order of the enumeration: whoever adds a code has to add it here and in the table.
constexpr Errc all_codes[] = {Errc::config_invalid,
                              Errc::file_unreadable,
                              Errc::credential_malformed,
                              Errc::certificate_unusable,
                              Errc::listen_failed,
                              Errc::state_unusable,
                              Errc::usage,
                              Errc::disk_full,
                              Errc::log_unwritable,
                              Errc::hub_unreachable,
                              Errc::hub_name_unknown,
                              Errc::hub_untrusted,
                              Errc::hub_tls_failed,
                              Errc::hub_timeout,
                              Errc::hub_protocol,
                              Errc::hub_refused_login,
                              Errc::hub_busy,
                              Errc::hub_link_lost,
                              Errc::hub_refused_stream_leg,
                              Errc::proxy_unreachable,
                              Errc::proxy_timeout,
                              Errc::proxy_tls_failed,
                              Errc::proxy_unauthorized,
                              Errc::proxy_refused,
                              Errc::proxy_found_no_hub,
                              Errc::proxy_garbage,
                              Errc::upgrade_removed,
                              Errc::clock_behind,
                              Errc::certificate_expired,
                              Errc::service_unauthorized,
                              Errc::device_unknown,
                              Errc::device_offline,
                              Errc::device_silent,
                              Errc::stream_rejected,
                              Errc::throttled,
                              Errc::quota_exceeded,
                              Errc::hub_failed,
                              Errc::request_refused,
                              Errc::user_not_allowed,
                              Errc::service_unknown,
                              Errc::local_refused,
                              Errc::local_timeout,
                              Errc::local_unreachable,
                              Errc::service_not_allowed,
                              Errc::leg_reset,
                              Errc::leg_lost,
                              Errc::hub_stopping,
                              Errc::protocol_violation,
                              Errc::cancelled,
                              Errc::time_limit,
                              Errc::ended_by_policy,
                              Errc::mtu_black_hole,
                              Errc::credential_refused,
                              Errc::peer_garbage,
                              Errc::peer_oversize,
                              Errc::peer_slow,
                              Errc::peer_tls_failed,
                              Errc::identity_taken_over,
                              Errc::handshake_expired,
                              Errc::hub_not_running,
                              Errc::already_exists,
                              Errc::not_found,
                              Errc::stream_not_allowed,
                              Errc::hub_full,
                              Errc::transport_not_served,
                              Errc::provisioning_not_served,
                              Errc::resource_log_unwritable,
                              Errc::internal,
                              Errc::out_of_descriptors};

std::exception_ptr thrown(const auto& failure) {
    return std::make_exception_ptr(failure);
}

TEST(ErrorTable, HasOneRowForEachCodeInOrder) {
    ASSERT_EQ(error_table().size(), std::size(all_codes));
    for (std::size_t i = 0; i < std::size(all_codes); ++i) EXPECT_EQ(error_table()[i].code, all_codes[i]);
}

TEST(ErrorTable, IdIsTheNumberOfTheCode) {
    for (const auto& row : error_table()) EXPECT_EQ(row.id, "DS-" + std::to_string(static_cast<int>(row.code)));
}

TEST(ErrorTable, SummariesDifferAndAreClauses) {
    std::set<std::string_view> summaries;
    for (const auto& row : error_table()) {
        EXPECT_TRUE(summaries.insert(row.summary).second) << row.summary;
        EXPECT_FALSE(row.summary.ends_with('.')) << row.summary;
    }
}

TEST(ErrorTable, AdviceIsASentence) {
    for (const auto& row : error_table()) EXPECT_TRUE(row.advice.ends_with('.')) << row.id;
}

TEST(Failure, ComparesWithItsCode) {
    const Failure failure(Errc::device_offline, "pump-17");
    EXPECT_EQ(failure.code(), Errc::device_offline);
    EXPECT_EQ(failure.errc(), Errc::device_offline);
    EXPECT_EQ(failure.code().message(), describe(Errc::device_offline).summary);
}

TEST(Explain, NamesCodeSummaryDetailAndNextStep) {
    EXPECT_EQ(explain(Failure(Errc::device_offline, "pump-17")),
              "DS-303 the device is offline: pump-17. Check that device-proxy runs on the device and reaches the hub.");
    EXPECT_EQ(explain(thrown(Failure(Errc::usage, ""))), "DS-107 the command line is wrong. See --help.");
}

TEST(Explain, OtherExceptionsAreSystemErrorsOrInternalFaults) {
    const auto refused = std::make_error_code(std::errc::connection_refused);
    EXPECT_EQ(explain(thrown(std::system_error(refused))), "Connection refused");
    EXPECT_EQ(explain(thrown(std::logic_error("odd"))), "DS-901 an internal fault: odd");
    EXPECT_EQ(explain(thrown(1)), "DS-901 an internal fault");
}

TEST(IsCancellation, OnlyForAbortedOperations) {
    EXPECT_TRUE(is_cancellation(thrown(std::system_error(asio::error::operation_aborted))));
    EXPECT_FALSE(is_cancellation(thrown(std::system_error(asio::error::timed_out))));
    EXPECT_FALSE(is_cancellation(thrown(Failure(Errc::cancelled, ""))));
    EXPECT_FALSE(is_cancellation(thrown(1)));
}

}  // namespace
}  // namespace device_streams
