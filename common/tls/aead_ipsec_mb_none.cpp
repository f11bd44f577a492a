#include "common/tls/aead.hpp"

namespace device_streams {

const AeadBackend* ipsec_mb_backend() {
    return nullptr;
}

}  // namespace device_streams
