"""Adds up the results that scripts/test left behind: a line for each failed test, and a closing line.

usage: count_tests.py BUILD_FOLDER FAILED_STAGES

test-results/PRESET.ctest.xml   one entry per program that ctest ran; PRESET/test-results/NAME.xml has its cases when it
                                is a GoogleTest program
test-results/NAME.pytest.xml    one entry per Python test
A failed stage without a failed test (a build, a crash while collecting) counts as one failure.
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

LONGEST_REASON = 300


def one_line(text):
    return " ".join((text or "").split())[:LONGEST_REASON]


def reason_of(case):
    """Why a case failed; None if it did not."""
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None:
            return one_line(found.get("message") or found.text)
    return None


def cases_of_program(entry, folder):
    """(name, reason) of each case of one program that ctest ran."""
    program = entry.get("name")
    failed = entry.get("status") not in ("run", "disabled")
    report = folder / (program + ".xml")
    if not report.exists():
        return [(program, f"it ended badly: {entry.get('status')}" if failed else None)]
    suites = ElementTree.parse(report).getroot()
    cases = [
        (f"{program}: {case.get('classname')}.{case.get('name')}", reason_of(case))
        for case in suites.iter("testcase")
        if case.get("status") == "run"
    ]
    if failed and all(reason is None for _, reason in cases):
        # As after a sanitizer's report at exit.
        cases.append((program, "it ended badly after its cases had passed"))
    return cases


def cases_of_python(report):
    return [
        (f"{case.get('classname')}.{case.get('name')}", reason_of(case))
        for case in ElementTree.parse(report).getroot().iter("testcase")
        if case.find("skipped") is None
    ]


def main():
    build, failed_stages = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    results, cases = build / "test-results", []
    for report in sorted(results.glob("*.ctest.xml")):
        preset = report.name.removesuffix(".ctest.xml")
        for entry in ElementTree.parse(report).getroot().iter("testcase"):
            found = cases_of_program(entry, build / preset / "test-results")
            cases += [(f"{preset}: {name}", reason) for name, reason in found]
    for report in sorted(results.glob("*.pytest.xml")):
        stage = report.name.removesuffix(".pytest.xml")
        cases += [(f"{stage}: {name}", reason) for name, reason in cases_of_python(report)]
    failures = [(name, reason) for name, reason in cases if reason is not None]
    for name, reason in failures:
        print(f"failed: {name}: {reason}")
    print(f"{len(cases) - len(failures)} passed, {max(len(failures), failed_stages)} failed")


main()
