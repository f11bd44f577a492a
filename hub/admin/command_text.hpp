#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>

/// What several commands print.
namespace device_streams::hub {

/// Of a row with "device", and "module" for a module.
std::string identity_text(const nlohmann::json& row);
/// In a column of this width.
std::string padded(std::string text, std::size_t width);
std::string joined(const nlohmann::json& words, const std::string& separator);

std::string print_nothing(const nlohmann::json& result);
std::string print_json(const nlohmann::json& result);

/// `credential` is what follows the host name.
nlohmann::json connection_string_result(const std::string& host_name, const std::string& credential);
std::string print_connection_string(const nlohmann::json& result);

}  // namespace device_streams::hub
