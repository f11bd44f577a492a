#include "common/base/no_proxy.hpp"

#include "common/text/ascii.hpp"
#include "common/text/decimal.hpp"

#include <asio/ip/address.hpp>

#include <algorithm>
#include <optional>

namespace device_streams {

namespace {

constexpr std::string_view separators = ", \t";

std::optional<asio::ip::address> as_address(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    asio::error_code not_one;
    const auto address = asio::ip::make_address(std::string(text), not_one);
    return not_one ? std::nullopt : std::optional(address);
}

template <typename Bytes>
bool same_start(const Bytes& left, const Bytes& right, unsigned bits) {
    for (std::size_t i = 0; i < left.size() && i * 8 < bits; ++i) {
        const unsigned mask = bits - i * 8 >= 8 ? 0xffU : (0xffU << (8 - (bits - i * 8))) & 0xffU;
        if (((left[i] ^ right[i]) & mask) != 0) return false;
    }
    return true;
}

bool matches_address(const asio::ip::address& host, std::string_view entry) {
    const auto slash = entry.find('/');
    const auto block = as_address(entry.substr(0, slash));
    if (!block || block->is_v4() != host.is_v4()) return false;
    const unsigned all = host.is_v4() ? 32 : 128;
    unsigned bits = all;
    if (slash != std::string_view::npos) {
        const auto given = parse_decimal<unsigned>(entry.substr(slash + 1));
        if (!given || *given > all) return false;
        bits = *given;
    }
    return host.is_v4() ? same_start(host.to_v4().to_bytes(), block->to_v4().to_bytes(), bits)
                        : same_start(host.to_v6().to_bytes(), block->to_v6().to_bytes(), bits);
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
    const auto address = as_address(host);
    for (std::string_view rest = list_; !rest.empty();) {
        const auto end = std::min(rest.find_first_of(separators), rest.size());
        const auto entry = rest.substr(0, end);
        if (entry == "*" || (address ? matches_address(*address, entry) : ends_with_name(host, entry))) return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

}  // namespace device_streams
