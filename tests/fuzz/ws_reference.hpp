#pragma once

#include "common/ws/close_code.hpp"

#include <string>

namespace device_streams::ws {

/// What a peer's bytes mean: the payload up to the first end, and that end: "open", "finished", "violation", or "close"
/// with its code. Written for plainness, apart from the code under test, on the whole input at once.
struct Meaning {
    std::string payload;
    std::string end = "open";
};

class ReferenceDecoder {
 public:
    ReferenceDecoder(std::string_view input, Role role, bool half_close)
        : input_(input), server_(role == Role::server), half_close_(half_close) {}

    Meaning decode() {
        while (meaning_.end == "open" && at_ < input_.size()) next_frame();
        return meaning_;
    }

 private:
    unsigned byte(std::size_t i) const { return static_cast<unsigned char>(input_[at_ + i]); }
    bool violation(bool broken) {
        if (broken) meaning_.end = "violation";
        return broken;
    }

    void next_frame() {
        const auto left = input_.size() - at_;
        const bool fin = byte(0) >= 128;
        const unsigned opcode = byte(0) % 16;
        const bool control = opcode >= 8;
        const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
        if (violation((byte(0) & 0x70) != 0 || !known || (control && !fin))) return;
        if (left < 2) return stop();
        const bool masked = byte(1) >= 128;
        std::uint64_t length = byte(1) % 128;
        if (violation(control && length > 125)) return;
        const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
        const std::size_t header = 2 + extra + (masked ? 4 : 0);
        if (left < header) return stop();
        if (extra > 0) length = 0;
        for (std::size_t i = 0; i < extra; ++i) length = length << 8 | byte(2 + i);
        if (violation((extra == 2 && length < 126) || (extra == 8 && (length < 65'536 || length >> 63 != 0)))) return;
        if (violation(masked != server_)) return;
        if (!control && violation((opcode == 0) != in_message_)) return;
        std::string body;
        for (std::size_t i = 0; i < length && header + i < left; ++i)
            body.push_back(static_cast<char>(byte(header + i) ^ (masked ? byte(2 + extra + i % 4) : 0)));
        at_ += header + body.size();
        if (!control) meaning_.payload += body;
        if (!control && opcode != 0) has_data_ = false;
        if (body.size() < length) return stop();
        if (control) return control_frame(opcode, body);
        data_frame(opcode, fin, length);
    }

    void data_frame(unsigned opcode, bool fin, std::uint64_t length) {
        const bool unfragmented = fin && !in_message_;
        in_message_ = !fin;
        has_data_ = has_data_ || length > 0;
        if (length > 0) empty_ = 0;
        if (length > 0 || !fin || has_data_) return;
        ++empty_;
        const bool ends = half_close_ ? unfragmented && opcode == 2 : empty_ == 64;
        if (ends) meaning_.end = "finished";
    }

    void control_frame(unsigned opcode, const std::string& body) {
        if (opcode != 8) return;
        try {
            const auto reason = parse_close(std::as_bytes(std::span(body)));
            meaning_.end = "close " + std::to_string(reason.code.value_or(1005));
        } catch (const StreamError&) {
            meaning_.end = "violation";
        }
    }

    void stop() { at_ = input_.size(); }

    std::string_view input_;
    bool server_, half_close_;
    std::size_t at_ = 0;
    bool in_message_ = false, has_data_ = false;
    int empty_ = 0;
    Meaning meaning_;
};

}  // namespace device_streams::ws
