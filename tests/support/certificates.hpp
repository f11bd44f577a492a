#pragma once

#include "hub/admin/certificates.hpp"
#include "tests/support/scratch_folder.hpp"

#include <string>
#include <vector>

namespace device_streams::test {

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
