#include "hub/admin/command_text.hpp"

#include <algorithm>

namespace device_streams::hub {

using nlohmann::json;

std::string identity_text(const json& row) {
    const auto module = row.value("module", std::string());
    return row.at("device").get<std::string>() + (module.empty() ? "" : "/" + module);
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text + "  ";
}

std::string joined(const json& words, const std::string& separator) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : separator) + word.get<std::string>();
    return text;
}

std::string print_nothing(const json&) {
    return {};
}

std::string print_json(const json& result) {
    return result.dump(2) + "\n";
}

json connection_string_result(const std::string& host_name, const std::string& credential) {
    return {{"connectionString", "HostName=" + host_name + credential}};
}

std::string print_connection_string(const json& result) {
    return result.at("connectionString").get<std::string>() + "\n";
}

}  // namespace device_streams::hub
