#include "common/config/faults.hpp"

#include "common/base/error.hpp"

#include <algorithm>

namespace device_streams {

namespace {
constexpr std::size_t most_lines = 100;

std::string heading(const SourceLocation& place, const std::string& key) {
    if (place.is_flag) return place.source;
    const auto where = ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
    return place.source + (place.line > 0 ? where : "") + (key.empty() ? "" : " " + key);
}
}  // namespace

void Faults::add(const SourceLocation& place, std::string_view key, std::string_view what) {
    faults_.push_back({place, std::string(key), std::string(what)});
}

bool Faults::concerns(std::string_view key) const {
    return std::ranges::any_of(faults_, [key](const Fault& fault) {
        if (!fault.key.starts_with(key)) return false;
        return fault.key.size() == key.size() || fault.key[key.size()] == '.' || fault.key[key.size()] == '[';
    });
}

std::vector<std::string> Faults::lines() const {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < std::min(faults_.size(), most_lines); ++i)
        lines.push_back(heading(faults_[i].place, faults_[i].key) + ": " + faults_[i].what);
    if (faults_.size() > most_lines)
        lines.push_back("and " + std::to_string(faults_.size() - most_lines) + " more faults");
    return lines;
}

std::string Faults::text() const {
    std::string text;
    for (const auto& line : lines()) text += (text.empty() ? "" : "\n") + line;
    return text;
}

void Faults::raise_if_any() const {
    if (empty()) return;
    const bool only_usage = std::ranges::all_of(faults_, [](const Fault& fault) { return fault.place.is_flag; });
    throw Failure(only_usage ? Errc::usage : Errc::config_invalid, text());
}

}  // namespace device_streams
