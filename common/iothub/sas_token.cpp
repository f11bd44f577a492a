#include "common/iothub/sas_token.hpp"

#include "common/base/error.hpp"
#include "common/base/hmac.hpp"
#include "common/text/ascii.hpp"
#include "common/text/base64.hpp"
#include "common/text/decimal.hpp"
#include "common/text/parts.hpp"
#include "common/text/percent.hpp"

namespace device_streams::iothub {

namespace {

constexpr std::string_view scheme = "SharedAccessSignature";
constexpr std::size_t signature_size = 32;

// nullopt for keys nobody should sign with.
std::optional<Secret> decode_key(const Secret& key) {
    auto bytes = base64_decode(key.reveal());
    if (!bytes || bytes->empty()) return std::nullopt;
    return Secret(std::move(*bytes));
}

std::string sign(std::string_view resource, std::int64_t expiry, const Secret& raw_key) {
    return hmac_sha256(raw_key, std::string(resource) + "\n" + std::to_string(expiry));
}

// A number with leading zeros is refused, so that `sign` can write the text that was signed.
std::optional<std::int64_t> parse_expiry(std::string_view text) {
    const bool padded = text.size() > 1 && text.front() == '0';
    return padded ? std::nullopt : parse_decimal<std::int64_t>(text);
}

bool is_prefix_by_segment(std::string_view scope, std::string_view target) {
    const auto scope_host = scope.substr(0, scope.find('/'));
    const auto target_host = target.substr(0, target.find('/'));
    if (scope_host.empty() || !equal_ignoring_case(scope_host, target_host)) return false;
    scope.remove_prefix(scope_host.size());
    target.remove_prefix(target_host.size());
    return target.starts_with(scope) && (target.size() == scope.size() || target[scope.size()] == '/');
}

struct Fields {
    std::optional<std::string_view> resource, signature, expiry, policy;

    std::optional<std::string_view>* find(std::string_view name) {
        if (name == "sr") return &resource;
        if (name == "sig") return &signature;
        if (name == "se") return &expiry;
        if (name == "skn") return &policy;
        return nullptr;
    }
};

std::optional<Fields> collect_fields(std::string_view text) {
    Fields fields;
    for (const auto part : split(text, '&')) {
        const auto pair = split_pair(part);
        if (!pair) return std::nullopt;
        auto* const field = fields.find(pair->name);
        if (field == nullptr) continue;
        if (*field || pair->value.empty()) return std::nullopt;
        *field = pair->value;
    }
    return fields;
}

}  // namespace

bool SasToken::signed_by(const Secret& key) const {
    const auto raw_key = decode_key(key);
    const auto given = base64_decode(signature);
    return raw_key && given && equal_in_constant_time(sign(resource, expiry, *raw_key), *given);
}

bool SasToken::covers(std::string_view target) const {
    std::optional<std::string> scope = resource;
    for (int decoded = 0; decoded <= 2 && scope; ++decoded) {
        if (is_prefix_by_segment(*scope, target)) return true;
        scope = percent_decode(*scope);
    }
    return false;
}

bool SasToken::expired(std::int64_t now_unix_seconds, std::int64_t allowed_skew) const {
    return now_unix_seconds - allowed_skew >= expiry;
}

std::optional<SasToken> parse_sas_token(std::string_view text) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos || !equal_ignoring_case(text.substr(0, space), scheme)) return std::nullopt;
    const auto fields = collect_fields(text.substr(space + 1));
    if (!fields || !fields->resource || !fields->signature || !fields->expiry) return std::nullopt;
    const auto signature = percent_decode(*fields->signature);
    const auto expiry = parse_expiry(*fields->expiry);
    const auto policy = percent_decode(fields->policy.value_or(std::string_view{}));
    if (!signature || !expiry || !policy) return std::nullopt;
    const auto signature_bytes = base64_decode(*signature);
    if (!signature_bytes || signature_bytes->size() != signature_size) return std::nullopt;
    return SasToken{
        .resource = std::string(*fields->resource), .signature = *signature, .expiry = *expiry, .policy = *policy};
}

Secret make_sas_token(std::string_view resource, const Secret& key, std::int64_t expiry, std::string_view policy) {
    const auto raw_key = decode_key(key);
    if (!raw_key) throw Failure(Errc::credential_malformed, "the shared access key is not base64");
    const auto encoded_resource = percent_encode(resource);
    const auto signature = base64_encode(sign(encoded_resource, expiry, *raw_key));
    std::string token(scheme);
    token += " sr=" + encoded_resource + "&sig=" + percent_encode(signature) + "&se=" + std::to_string(expiry);
    if (!policy.empty()) token += "&skn=" + percent_encode(policy);
    return Secret(std::move(token));
}

std::string device_resource(std::string_view host, std::string_view device_id, std::string_view module_id) {
    std::string resource(host);
    if (!device_id.empty()) resource += "/devices/" + percent_encode(device_id);
    if (!module_id.empty()) resource += "/modules/" + percent_encode(module_id);
    return resource;
}

}  // namespace device_streams::iothub
