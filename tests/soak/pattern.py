"""Bytes that know where they belong: little-endian words of stream, direction and position.

A word is stream << 40 | direction << 39 | index, so that every byte can be checked for all three, and so that bytes in
a wrong place say where they come from.
"""
import array
import sys

WORD = 8
UP, DOWN = 0, 1
BLOCK_WORDS = 1 << 16  # then the two low bytes of the words of each block are the same
BLOCK = BLOCK_WORDS * WORD
MOST_STREAMS = 1 << 24

assert sys.byteorder == "little"
_TEMPLATE = array.array("Q", range(BLOCK_WORDS)).tobytes()


def make_word(stream, direction, index):
    return stream << 40 | direction << 39 | index


def read_word(raw):
    """(stream, direction, index)"""
    word = int.from_bytes(raw, "little")
    return word >> 40, word >> 39 & 1, word & (1 << 39) - 1


def describe_word(raw):
    stream, direction, index = read_word(raw)
    return f"stream {stream} {'down' if direction else 'up'} word {index}"


class Pattern:
    """The bytes of one direction of one stream. Holds one block and changes three bytes of each word at most to get to
    another: an array of words would have to be computed word by word, which is slower than the tunnel."""

    def __init__(self, stream, direction, size):
        self.stream, self.direction, self.size = stream, direction, size
        assert stream < MOST_STREAMS
        words = min(BLOCK_WORDS, -(-size // WORD))
        self._block = bytearray(_TEMPLATE[: words * WORD])
        self._number = 0
        first = make_word(stream, direction, 0).to_bytes(WORD, "little")
        for place in range(4, WORD):
            self._put(place, first[place])

    def _put(self, place, value):
        self._block[place::WORD] = bytes([value]) * (len(self._block) // WORD)

    def _turn_to(self, number):
        old = make_word(self.stream, self.direction, self._number * BLOCK_WORDS).to_bytes(WORD, "little")
        new = make_word(self.stream, self.direction, number * BLOCK_WORDS).to_bytes(WORD, "little")
        for place in range(2, 5):
            if old[place] != new[place]:
                self._put(place, new[place])
        self._number = number

    def room(self, position, size):
        """How many bytes from `position` are in one block."""
        return min(size, self.size - position, BLOCK - position % BLOCK)

    def part(self, position, size):
        """A view of at most `size` bytes from `position`: good until the next call."""
        size = self.room(position, size)
        if position // BLOCK != self._number:
            self._turn_to(position // BLOCK)
        offset = position % BLOCK
        return memoryview(self._block)[offset : offset + size]


class Checker:
    """Compares what arrives with what must, and finds out what is wrong with it when it differs."""

    def __init__(self, stream, direction, size):
        self.pattern = Pattern(stream, direction, size)
        self.received = 0
        self.wrong_bytes = 0
        self.faults = []  # (kind, sentence)

    @property
    def complete(self):
        return self.received == self.pattern.size and not self.faults

    def feed(self, data):
        """`data` is bytes or a bytearray: only these are compared block by block. False when bytes are displaced, so
        that nothing behind them can be checked."""
        done = 0
        while done < len(data):
            size = self.pattern.room(self.received, len(data) - done)
            if size == 0:
                self._note("surplus", f"{len(data) - done} bytes after the last one", len(data) - done)
                return False
            piece = data if size == len(data) else data[done : done + size]
            expected = self.pattern.part(self.received, size)
            if piece != expected.tobytes() and not self._look_closer(bytes(piece), bytes(expected), bytes(data[done:])):
                return False
            self.received += size
            done += size
        return True

    def _look_closer(self, seen, expected, rest):
        """True when bytes were altered in place and the next ones may be right again."""
        at = next(i for i, pair in enumerate(zip(seen, expected)) if pair[0] != pair[1])
        differing = sum(a != b for a, b in zip(seen, expected))
        where = (
            f"at byte {self.received + at}, expected {describe_word(self._word_at(at))}, "
            f"saw {rest[at:at + 16].hex(' ')}"
        )
        kind, origin = self._find_origin(rest[at:], self.received + at)
        self._note(kind, where + origin, differing)
        return kind == "altered"

    def _word_at(self, at):
        index = (self.received + at) // WORD
        return make_word(self.pattern.stream, self.pattern.direction, index).to_bytes(WORD, "little")

    def _find_origin(self, rest, position):
        """(kind, what the bytes from the first wrong one on seem to be)"""
        for shift in range(min(WORD + 1, len(rest) - 2 * WORD + 1)):
            first, second = rest[shift : shift + WORD], rest[shift + WORD : shift + 2 * WORD]
            stream, direction, index = read_word(first)
            if read_word(second) != (stream, direction, index + 1):
                continue
            origin = f", which is {describe_word(first)}"
            if (stream, direction) != (self.pattern.stream, self.pattern.direction):
                return "crossed", origin
            begin = index * WORD - shift
            if begin == position:
                return "altered", ""
            return ("lost" if begin > position else "repeated"), origin
        return "altered", ""

    def _note(self, kind, sentence, wrong_bytes):
        self.wrong_bytes += wrong_bytes
        if len(self.faults) < 20:
            self.faults.append((kind, sentence))
