// Asio is header-only by default; compiled once here it costs every other file less.
#include <asio/impl/src.hpp>
