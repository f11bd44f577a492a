#pragma once

#include "common/net/byte_stream.hpp"

#include <asio/any_io_executor.hpp>

#include <memory>
#include <utility>

namespace device_streams {

/// Two descriptors, one for each direction, as a ByteStream: pipes, sockets, terminals and files alike. Other programs
/// share them, so whether they block stays as it is; calls are made only when they cannot block. Takes ownership of
/// both.
///
/// finish() closes `out`; of a socket it ends the outgoing direction. The stream is reset once nobody can read `out`
/// any more and something that was written to it is unread, or is written to it. A program that has closed both with
/// nothing unread has left in order (CloseReason::clean), as ssh does with its ProxyCommand.
std::unique_ptr<ByteStream> make_pipe_stream(const asio::any_io_executor& executor, int in, int out);

/// Moves standard input and output to other descriptors and leaves nothing in their place, so that no stray print can
/// get into the stream. Throws std::system_error.
std::pair<int, int> take_standard_streams();

}  // namespace device_streams
