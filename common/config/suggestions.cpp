#include "common/config/suggestions.hpp"

#include "common/base/log_text.hpp"
#include "common/text/ascii.hpp"

#include <algorithm>
#include <sstream>

namespace device_streams {

namespace {

constexpr std::size_t longest_shown = 60;
constexpr std::size_t longest_compared = 64;

/// Edits between two words: insert, drop, change, and swap of neighbours (optimal string alignment).
std::size_t count_slips(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> slips(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) slips[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) slips[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            slips[i][j] = std::min({slips[i - 1][j] + 1, slips[i][j - 1] + 1, slips[i - 1][j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                slips[i][j] = std::min(slips[i][j], slips[i - 2][j - 2] + 1);
        }
    }
    return slips[a.size()][b.size()];
}

}  // namespace

bool looks_like_credential(std::string_view text) {
    const auto lower = lower_case(text);
    return lower.find("sharedaccess") != std::string::npos || lower.find("sig=") != std::string::npos;
}

std::string shown(std::string_view value) {
    if (looks_like_credential(value)) return "a value that looks like a credential (not shown)";
    const bool cut = value.size() > longest_shown;
    return '"' + escape_control_characters(value.substr(0, longest_shown)) + (cut ? "..." : "") + '"';
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
    if (word.empty() || word.size() > longest_compared) return {};
    const auto lower = lower_case(word);
    std::string best;
    std::size_t fewest = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const auto& candidate : candidates) {
        const bool cut_short = lower.size() >= 3 && candidate.starts_with(lower);
        const auto slips = cut_short ? 0 : count_slips(lower, lower_case(candidate));
        if (slips < fewest && slips < candidate.size()) {
            fewest = slips;
            best = candidate;
        }
    }
    return best;
}

std::string listed(std::span<const std::string> words) {
    std::string list;
    for (const auto& word : words) list += (list.empty() ? "" : ", ") + word;
    return list;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) {
        if (lines.empty() || lines.back().size() + 1 + word.size() > width) {
            lines.push_back(word);
        } else {
            lines.back() += ' ' + word;
        }
    }
    return lines;
}

}  // namespace device_streams
