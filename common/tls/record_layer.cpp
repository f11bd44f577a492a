#include "common/tls/record_layer.hpp"

#include <algorithm>

namespace device_streams {

void Ciphertext::append(ReadableBytes more) {
    std::ranges::copy(more, room(more.size()).begin());
    use(more.size());
}

WritableBytes Ciphertext::room(std::size_t size) {
    if (room_.size() - used_ < size) room_.resize(used_ + size);
    return std::span(room_).subspan(used_, size);
}

}  // namespace device_streams
