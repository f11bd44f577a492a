#include "common/base/secret.hpp"

#include <openssl/crypto.h>

#include <ostream>

namespace device_streams {

Secret& Secret::operator=(const Secret& other) {
    if (this != &other) {
        wipe();
        text_ = other.text_;
    }
    return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        text_ = other.text_;
        other.wipe();
    }
    return *this;
}

bool operator==(const Secret& left, const Secret& right) {
    if (left.text_.size() != right.text_.size()) return false;
    unsigned char difference = 0;
    for (std::size_t i = 0; i < left.text_.size(); ++i)
        difference |= static_cast<unsigned char>(left.text_[i] ^ right.text_[i]);
    return difference == 0;
}

void Secret::wipe() noexcept {
    OPENSSL_cleanse(text_.data(), text_.size());
    text_.clear();
}

std::ostream& operator<<(std::ostream& out, const Secret&) {
    return out << "***";
}

}  // namespace device_streams
