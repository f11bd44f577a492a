#pragma once

#include <string>
#include <string_view>

namespace device_streams {

/// The hosts that are reached without a proxy, written as for curl's variable no_proxy: names (which stand for all
/// names below them too), IP addresses and CIDR blocks, separated by commas or blanks; `*` stands for all.
class NoProxy {
 public:
    NoProxy() = default;
    explicit NoProxy(std::string list) : list_(std::move(list)) {}

    /// `host`: a name, or an IP address without brackets.
    bool covers(std::string_view host) const;
    const std::string& text() const { return list_; }
    bool operator==(const NoProxy&) const = default;

 private:
    std::string list_;
};

}  // namespace device_streams
