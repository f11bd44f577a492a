"""Adds up the results that scripts/test left behind and prints one closing line.

usage: count_tests.py FOLDER FAILED_STAGES

NAME.ctest.xml   one entry per program that ctest ran; NAME/PROGRAM.xml has its cases when it is a GoogleTest program
NAME.pytest.xml  one entry per Python test
A failed stage without a failed test (a build, a crash while collecting) counts as one failure.
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count_program(entry, folder):
    """(passed, failed) of one program that ctest ran."""
    failed = entry.get("status") not in ("run", "disabled")
    report = folder / (entry.get("name") + ".xml")
    if not report.exists():
        return (0, 1) if failed else (1, 0)
    suites = ElementTree.parse(report).getroot()
    cases = sum(1 for case in suites.iter("testcase") if case.get("status") == "run")
    broken = sum(1 for case in suites.iter("testcase") if case.find("failure") is not None)
    # A sanitizer report at exit fails the program after all its cases passed.
    broken = max(broken, 1) if failed else broken
    return max(cases - broken, 0), broken


def count_python(report):
    passed = failed = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is None:
            passed += 1
    return passed, failed


def main():
    results, failed_stages = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    totals = []
    for report in results.glob("*.ctest.xml"):
        folder = results / report.name.removesuffix(".ctest.xml")
        entries = ElementTree.parse(report).getroot().iter("testcase")
        totals += [count_program(entry, folder) for entry in entries]
    totals += [count_python(report) for report in results.glob("*.pytest.xml")]
    passed, failed = (sum(column) for column in zip(*totals)) if totals else (0, 0)
    print(f"{passed} passed, {max(failed, failed_stages)} failed")


main()
