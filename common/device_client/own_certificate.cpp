#include "common/device_client/own_certificate.hpp"

#include "common/base/error.hpp"
#include "common/base/read_file.hpp"
#include "common/text/parts.hpp"

namespace device_streams::device {

namespace {

constexpr std::int64_t day = 24 * 3600;

std::string duration_text(std::int64_t seconds) {
    return seconds < 2 * day ? std::to_string(seconds) + " s" : std::to_string(seconds / day) + " days";
}

Secret read_passphrase(const std::string& file) {
    if (file.empty()) return {};
    auto text = read_file(file);
    text.resize(trim_end(text, "\r\n").size());
    return Secret(std::move(text));
}

// Empty: none.
std::string validity_fault(const CertificateFacts& certificate, const Clock& clock) {
    const auto now = clock.unix_seconds();
    if (now > certificate.not_after) return "expired " + duration_text(now - certificate.not_after) + " ago";
    if (now < certificate.not_before) return "becomes valid in " + duration_text(certificate.not_before - now);
    return {};
}

}  // namespace

OwnCertificate::OwnCertificate(Files files) : files_(std::move(files)), seen_(read()), context_(load()) {
}

Secret OwnCertificate::read() const {
    return Secret(read_file(files_.certificate) + read_file(files_.key) +
                  std::string(read_passphrase(files_.key_passphrase_file).reveal()));
}

std::shared_ptr<const TlsContext> OwnCertificate::load() const {
    return TlsContext::client(
        files_.hub_ca, CertificateFiles{files_.certificate, files_.key, read_passphrase(files_.key_passphrase_file)},
        files_.record_plane);
}

std::shared_ptr<const TlsContext> OwnCertificate::for_next_connection(const Clock& clock, const Log& log) {
    try {
        if (auto present = read(); !(present == seen_)) {
            context_ = load();
            seen_ = std::move(present);
            log.info("the device's certificate was renewed",
                     {{"certificate", files_.certificate},
                      {"sha256", facts().sha256},
                      {"days_left", (facts().not_after - clock.unix_seconds()) / day}});
        }
    } catch (const Failure& failure) {
        log.warning("the device's certificate was replaced by one that cannot be used; the one before goes on: " +
                    explain(failure));
    }
    return context_;
}

void OwnCertificate::warn_if_not_valid(const Clock& clock, const Log& log) const {
    if (const auto fault = validity_fault(facts(), clock); !fault.empty())
        log.warning(
            explain(Failure(Errc::certificate_unusable,
                            files_.certificate + " " + fault + " by this machine's clock; the hub will refuse it")));
}

}  // namespace device_streams::device
