#include "common/ws/frame_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace device_streams::ws {

namespace {

// Some SDKs send them without end once their side is at its end; others keep a stream alive with single ones.
constexpr int empty_messages_that_end = 64;
constexpr auto time_of_a_row = std::chrono::seconds(5);

}  // namespace

std::size_t FrameReader::decode(WritableBytes bytes, Clock::time_point now) {
    std::byte* const begin = bytes.data();
    std::byte* to = begin;
    try {
        while (!bytes.empty() && !over()) {
            std::size_t taken = 0;
            if (!in_frame_) {
                taken = collect_header(bytes);
            } else if (is_control(frame_.opcode)) {
                taken = collect_control(bytes);
            } else {
                taken = decode_payload(bytes, to);
                if (!finished_) to += taken;
            }
            bytes = bytes.subspan(taken);
            if (in_frame_ && done_ == frame_.length) end_frame(now);
        }
    } catch (const StreamError& violation) {
        failure_ = violation;
    }
    return static_cast<std::size_t>(to - begin);
}

std::optional<ControlPayload> FrameReader::take_ping() {
    return std::exchange(ping_, std::nullopt);
}

std::size_t FrameReader::collect_header(ReadableBytes bytes) {
    std::size_t size = 0;
    if (header_size_ == 0) {
        if (const auto header = read_header(bytes, size)) {
            begin_frame(*header);
            return size;
        }
    }
    const auto known = header_size_;
    const auto added = std::min(bytes.size(), header_bytes_.size() - known);
    std::memcpy(header_bytes_.data() + known, bytes.data(), added);
    header_size_ += added;
    const auto header = read_header(ReadableBytes(header_bytes_).first(header_size_), size);
    if (!header) return added;
    header_size_ = 0;
    begin_frame(*header);
    return size - known;
}

void FrameReader::begin_frame(const FrameHeader& header) {
    if (role_ == Role::server && !header.mask) refuse_frame("a client's frame is not masked");
    if (role_ == Role::client && header.mask) refuse_frame("a server's frame is masked");
    if (!is_control(header.opcode)) {
        const bool continues = header.opcode == Opcode::continuation;
        if (continues && !in_message_) refuse_frame("a continuation frame has nothing to continue");
        if (!continues && in_message_) refuse_frame("a message begins inside another");
        if (header.opcode == Opcode::text && !takes_text_) refuse_frame("text came where only binary messages may");
        if (!continues) message_has_data_ = false;
        if (finished_ && header.length > 0) refuse_frame("data came behind the end of the direction");
    }
    frame_ = header;
    done_ = 0;
    in_frame_ = true;
}

std::size_t FrameReader::decode_payload(WritableBytes bytes, std::byte* to) {
    const auto part =
        bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), frame_.length - done_)));
    if (!finished_) {
        if (frame_.mask) apply_mask(part, *frame_.mask, done_);
        if (to != part.data()) std::memmove(to, part.data(), part.size());
    }
    done_ += part.size();
    return part.size();
}

std::size_t FrameReader::collect_control(ReadableBytes bytes) {
    const auto part = std::min(bytes.size(), static_cast<std::size_t>(frame_.length - done_));
    control_.kept.insert(control_.kept.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part));
    done_ += part;
    return part;
}

void FrameReader::end_frame(Clock::time_point now) {
    in_frame_ = false;
    if (is_control(frame_.opcode)) {
        end_control_frame();
    } else {
        end_data_frame(now);
    }
}

void FrameReader::end_data_frame(Clock::time_point now) {
    const bool unfragmented = frame_.fin && !in_message_;
    in_message_ = !frame_.fin;
    if (frame_.length > 0) {
        message_has_data_ = true;
        empty_messages_ = 0;
    } else if (frame_.fin && !message_has_data_) {
        note_empty_message(unfragmented, now);
    }
}

// Counts an empty message.
bool FrameReader::ends_row(Clock::time_point now) {
    if (empty_messages_ == 0 || now > row_began_ + time_of_a_row) {
        row_began_ = now;
        empty_messages_ = 0;
    }
    return ++empty_messages_ >= empty_messages_that_end;
}

void FrameReader::note_empty_message(bool unfragmented, Clock::time_point now) {
    if (!half_close_) {
        finished_ = finished_ || ends_row(now);
        return;
    }
    if (!unfragmented || frame_.opcode != Opcode::binary) return;
    if (finished_) refuse_frame("the direction was ended twice");
    finished_ = true;
}

void FrameReader::end_control_frame() {
    auto payload = std::exchange(control_, ControlPayload());
    if (frame_.mask) apply_mask(payload.kept, *frame_.mask, 0);
    if (frame_.opcode == Opcode::close) closed_ = parse_close(payload.bytes());
    if (frame_.opcode == Opcode::ping) ping_ = std::move(payload);
}

}  // namespace device_streams::ws
