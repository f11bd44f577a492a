#pragma once

#include "common/net/byte_stream.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <utility>

namespace device_streams {

/// Two descriptors, one for each direction, as a ByteStream: pipes, sockets, terminals and files alike. Their
/// O_NONBLOCK flags stay as they are, since other programs share them; calls are made only when they cannot block.
class PipeStream final : public ByteStream {
 public:
    /// Takes ownership of both.
    PipeStream(const asio::any_io_executor& executor, int in, int out);

    std::optional<std::size_t> try_read(WritableBytes into) override;
    asio::awaitable<void> wait_readable() override;
    asio::awaitable<void> write_all(OutBytes out) override;
    /// Closes the outgoing descriptor.
    asio::awaitable<void> finish() override;
    bool half_close() const override { return true; }
    bool ended() const override { return false; }
    /// Throws once nobody can read the outgoing descriptor any more.
    asio::awaitable<void> watch() override;
    asio::awaitable<void> close(Ending ending) override;
    void abort(Ending reason) noexcept override;

 private:
    asio::posix::stream_descriptor in_, out_;
};

/// Moves standard input and output to other descriptors and leaves /dev/null in their place, so that no stray print can
/// get into the stream. Throws std::system_error.
std::pair<int, int> take_standard_streams();

}  // namespace device_streams
