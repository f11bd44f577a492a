#include "hub/identity/allow_rule.hpp"

#include "common/base/error.hpp"
#include "common/iothub/connection_string.hpp"
#include "common/text/parts.hpp"

#include <algorithm>

namespace device_streams::hub {

namespace {

constexpr std::string_view form = "DEVICE[/MODULE] SERVICE[,SERVICE...] [DAYS] [HOURS] [ZONE] [from DATE] [until DATE]";

[[noreturn]] void refuse_rule(const std::string& what) {
    throw Failure(Errc::usage, what);
}

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

// The pattern's character at `at`, and whether it means more than itself; moves `at` behind it.
struct Piece {
    char character;
    bool wild;
};
Piece next_piece(std::string_view pattern, std::size_t& at) {
    const char c = pattern[at++];
    if (c == '\\' && at < pattern.size()) return {pattern[at++], false};
    return {c, c == '*' || c == '?'};
}

// In time that grows with the product of both lengths, however many stars there are.
bool matches(std::string_view pattern, std::string_view text) {
    std::size_t at = 0, seen = 0;
    std::optional<std::size_t> behind_star;
    std::size_t taken_by_star = 0;
    while (seen < text.size()) {
        if (at < pattern.size()) {
            auto next = at;
            const auto piece = next_piece(pattern, next);
            if (piece.wild && piece.character == '*') {
                behind_star = at = next;
                taken_by_star = seen;
                continue;
            }
            if (piece.wild || piece.character == text[seen]) {
                at = next;
                ++seen;
                continue;
            }
        }
        if (!behind_star) return false;
        at = *behind_star;
        seen = ++taken_by_star;
    }
    while (at < pattern.size() && pattern[at] == '*') ++at;
    return at == pattern.size();
}

void check_pattern(std::string_view pattern, const std::string& of_what) {
    std::string plain;
    for (std::size_t at = 0; at < pattern.size();) {
        if (pattern[at] == '\\' && at + 1 == pattern.size())
            refuse_rule("the pattern " + quoted(pattern) + " ends in a \\ that takes nothing");
        plain += next_piece(pattern, at).character;
    }
    if (plain.empty()) refuse_rule("the pattern of the " + of_what + " is empty; * means all");
    if (!iothub::is_valid_identity_id(plain))
        refuse_rule("the pattern " + quoted(pattern) + " can match no " + of_what +
                    ": ids are 1 to 128 of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ '");
}

std::vector<std::string> services_of(std::string_view word) {
    std::vector<std::string> services;
    if (word == "*") return services;
    for (const auto name : split(word, ',')) {
        if (!iothub::is_valid_stream_name(name))
            refuse_rule(quoted(name) +
                        " is no service: names are of A-Z a-z 0-9 . _ -, with commas between, or * for all");
        services.emplace_back(name);
    }
    std::ranges::sort(services);
    services.erase(std::unique(services.begin(), services.end()), services.end());
    return services;
}

// Cuts off the first word; empty at the end.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

}  // namespace

bool AllowRule::is_for(const iothub::Target& target) const {
    return matches(device, target.device_id) &&
           (!module || (!target.module_id.empty() && matches(*module, target.module_id)));
}

bool AllowRule::includes(std::string_view service) const {
    return services.empty() || std::ranges::find(services, service) != services.end();
}

AllowRule parse_allow_rule(std::string_view text) {
    auto rest = text;
    const auto target = take_word(rest), services = take_word(rest);
    if (services.empty()) refuse_rule("the rule " + quoted(text) + " is too short: it is written " + std::string(form));
    AllowRule rule;
    const auto slash = target.find('/');
    rule.device = target.substr(0, slash);
    check_pattern(rule.device, "device");
    if (slash != std::string_view::npos) {
        rule.module = target.substr(slash + 1);
        check_pattern(*rule.module, "module");
    }
    rule.services = services_of(services);
    if (rest.find_first_not_of(' ') != std::string_view::npos) rule.time = parse_rule_time(rest);
    return rule;
}

std::string to_string(const AllowRule& rule) {
    auto text = rule.device + (rule.module ? "/" + *rule.module : "") + " ";
    for (const auto& service : rule.services) text += (text.ends_with(' ') ? "" : ",") + service;
    if (rule.services.empty()) text += "*";
    if (rule.time) text += " " + to_string(*rule.time);
    return text;
}

}  // namespace device_streams::hub
