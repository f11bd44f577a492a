#include "tests/support/repository.hpp"

namespace device_streams::test {

std::filesystem::path repository_file(std::string_view name) {
    return std::filesystem::path(DS_SOURCE_DIR) / name;
}

}  // namespace device_streams::test
