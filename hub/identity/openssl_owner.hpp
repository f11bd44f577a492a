#pragma once

#include <memory>

namespace device_streams::hub {

/// Deleter of an object of OpenSSL: calls the function that frees its kind.
template <auto free>
struct Free {
    template <typename T>
    void operator()(T* object) const {
        free(object);
    }
};

/// The one owner of an object of OpenSSL: `Owner<BIO, BIO_free>`.
template <typename T, auto free>
using Owner = std::unique_ptr<T, Free<free>>;

}  // namespace device_streams::hub
