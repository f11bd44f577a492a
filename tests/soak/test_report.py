"""When the programs count as flat."""
from .report import MIB, SPARE_DESCRIPTORS, Samples
from .tunnel import Usage


def samples(end):
    made = Samples()
    made.baseline = {"hub": Usage(20, 8 * MIB)}
    made.add(0.1, {"hub": Usage(140, 16 * MIB)})
    made.add(0.9, {"hub": Usage(140, 90 * MIB)})
    made.end = {"hub": end} if end else {}
    return made


def test_flat():
    assert samples(Usage(20 + SPARE_DESCRIPTORS, 20 * MIB)).judge(["hub"], True) == []


def test_descriptors_that_stay():
    assert "29 descriptors" in samples(Usage(29, 8 * MIB)).judge(["hub"], True)[0]


def test_memory_that_grew_after_the_first_fifth():
    grown = samples(Usage(20, 21 * MIB))
    assert "21.0 MiB" in grown.judge(["hub"], True)[0]
    assert grown.judge(["hub"], False) == []


def test_a_program_that_is_gone():
    assert samples(None).judge(["hub"], True) == ["hub is gone"]
