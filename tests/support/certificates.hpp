#pragma once

#include "hub/admin/certificates.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace device_streams::test {

/// A folder of its own that goes with the object.
class ScratchFolder {
 public:
    ScratchFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "ds-test-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    /// Writes a file and returns its path.
    std::string write(const std::string& name, std::string_view text) const {
        std::ofstream(path_ / name) << text;
        return *this / name;
    }

 private:
    std::filesystem::path path_;
};

/// A CA, and a server certificate for localhost and 127.0.0.1, as files.
struct TestCertificates {
    explicit TestCertificates(const std::vector<std::string>& names = {"localhost", "127.0.0.1"}) {
        const auto now = std::chrono::system_clock::now();
        const auto authority = hub::make_authority("test CA", now);
        const auto server = hub::issue_server_certificate(authority, names, now);
        ca_file = folder.write("ca.pem", authority.certificate);
        certificate_file = folder.write("server.pem", server.certificate);
        key_file = folder.write("server.key", server.key.reveal());
    }
    ScratchFolder folder;
    std::string ca_file, certificate_file, key_file;
};

}  // namespace device_streams::test
