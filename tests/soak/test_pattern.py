"""The checker must see every kind of damage, and name it."""
import array

import pytest

from .pattern import BLOCK, DOWN, UP, Checker, Pattern, make_word

SIZES = [0, 1, 7, 8, 9, 1000, BLOCK - 1, BLOCK, BLOCK + 13, 3 * BLOCK + 5]


def plain(stream, direction, size):
    first = make_word(stream, direction, 0)
    return array.array("Q", range(first, first + size // 8 + 1)).tobytes()[:size]


def made(pattern, begin=0):
    parts, position = [], begin
    while position < pattern.size:
        parts.append(bytes(pattern.part(position, 100_000)))
        position += len(parts[-1])
    return b"".join(parts)


def check(checker, data, step=65536):
    for at in range(0, len(data), step):
        if not checker.feed(data[at : at + step]):
            break
    return {kind for kind, _ in checker.faults}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("direction", [UP, DOWN])
def test_pattern_is_a_row_of_words(size, direction):
    assert made(Pattern(70_001, direction, size)) == plain(70_001, direction, size)


@pytest.mark.parametrize("index", [BLOCK * 256 - BLOCK, (1 << 30) - BLOCK, (1 << 36) - BLOCK])
def test_pattern_far_from_its_begin(index):
    pattern = Pattern(5, DOWN, index + 2 * BLOCK)
    first = make_word(5, DOWN, index // 8)
    assert made(pattern, index) == array.array("Q", range(first, first + 2 * BLOCK // 8)).tobytes()
    assert bytes(pattern.part(0, 8)) == make_word(5, DOWN, 0).to_bytes(8, "little")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [777, 65536, 1 << 20])
def test_right_bytes_are_right(size, step):
    checker = Checker(9, UP, size)
    assert check(checker, plain(9, UP, size), step) == set()
    assert checker.complete and checker.wrong_bytes == 0


@pytest.mark.parametrize("at", [0, 1, 7, 8, 5000, 65535, 65536, 99_992, 99_999])
def test_one_altered_byte(at):
    data = bytearray(plain(9, UP, 100_000))
    data[at] ^= 0x10
    checker = Checker(9, UP, 100_000)
    assert check(checker, bytes(data)) == {"altered"}
    assert checker.wrong_bytes == 1 and checker.received == 100_000 and not checker.complete


@pytest.mark.parametrize("count", [1, 5, 8, 1000, 2048, 65536])
@pytest.mark.parametrize("at", [0, 3, 40_000])
def test_lost_bytes(at, count):
    data = plain(9, UP, 200_000)
    assert check(Checker(9, UP, 200_000), data[:at] + data[at + count :]) == {"lost"}


@pytest.mark.parametrize("count", [1, 5, 8, 1000, 2048])
def test_repeated_bytes(count):
    data = plain(9, UP, 200_000)
    assert check(Checker(9, UP, 200_000), data[:70_000] + data[70_000 - count :]) == {"repeated"}


def test_bytes_in_another_order():
    data = plain(9, UP, 200_000)
    swapped = data[:50_000] + data[60_000:70_000] + data[50_000:60_000] + data[70_000:]
    assert check(Checker(9, UP, 200_000), swapped) == {"lost"}


@pytest.mark.parametrize("stream, direction", [(10, UP), (9, DOWN), (265, UP)])
def test_bytes_of_another_stream_or_direction(stream, direction):
    data = plain(9, UP, 50_000) + plain(stream, direction, 200_000)[50_000:]
    assert check(Checker(9, UP, 200_000), data) == {"crossed"}


def test_too_many_bytes():
    assert check(Checker(9, UP, 1000), plain(9, UP, 1003)) == {"surplus"}


def test_too_few_bytes_are_not_complete():
    checker = Checker(9, UP, 1000)
    assert check(checker, plain(9, UP, 999)) == set()
    assert not checker.complete
