#include "common/base/no_proxy.hpp"

#include "common/base/ip_network.hpp"
#include "common/text/ascii.hpp"

#include <algorithm>

namespace device_streams {

namespace {

constexpr std::string_view separators = ", \t";

bool covers_address(std::string_view entry, const asio::ip::address& host) {
    const auto network = IpNetwork::parse(entry);
    return network && network->contains(host);
}

std::string_view without_final_dot(std::string_view name) {
    return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

bool ends_with_name(std::string_view host, std::string_view entry) {
    if (entry.starts_with('.')) entry.remove_prefix(1);
    entry = without_final_dot(entry);
    host = without_final_dot(host);
    if (entry.empty() || host.size() < entry.size()) return false;
    const auto front = host.substr(0, host.size() - entry.size());
    return equal_ignoring_case(host.substr(front.size()), entry) && (front.empty() || front.ends_with('.'));
}

}  // namespace

bool NoProxy::covers(std::string_view host) const {
    const auto address = parse_ip_address(host);
    for (std::string_view rest = list_; !rest.empty();) {
        const auto end = std::min(rest.find_first_of(separators), rest.size());
        const auto entry = rest.substr(0, end);
        if (entry == "*" || (address ? covers_address(entry, *address) : ends_with_name(host, entry))) return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

}  // namespace device_streams
