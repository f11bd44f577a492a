#pragma once

namespace device_streams {

/// Who protects the records of TLS 1.3: our record plane wherever it can, or OpenSSL in any case.
enum class RecordPlaneMode { automatic, off };

}  // namespace device_streams
