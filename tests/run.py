#!/usr/bin/env python3
"""Lint, types and tests in an environment of their own: `python3 tests/run.py [pytest arguments]`.

Needs nothing but Python 3.11 and the package registry; the environment is kept outside the
checkout and made again when a pinned version changes. Ends with a summary of what ran and what was
left out; the exit code is 1 if anything failed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

CHECKOUT = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True  # nothing is written into the checkout
sys.path[:0] = [str(CHECKOUT / "installers"), str(CHECKOUT / "engine")]

import environment  # noqa: E402
from maskwright.setup import lock  # noqa: E402
from maskwright.setup.failure import InstallError  # noqa: E402

REQUIREMENTS = (
    CHECKOUT / "installers" / "requirements.txt",
    CHECKOUT / "tests" / "requirements.txt",
)
QUICK = ("unit", "contract", "model")
OPTIONAL = {
    "bench": "it measures against peers and takes minutes; --bench runs it",
    "hosts": "it drives a real GIMP and Krita, as CI does; --hosts runs it",
}
FOR_TESTS = tuple(
    f"MASKWRIGHT_{name}" for name in ("BENCH_", "FUZZ_", "HOSTS", "SCREENSHOTS", "SOAK_")
)
# Editors mostly wait for each other's windows: those of both releases take half the time together.
SIDE_BY_SIDE = ("not forky", "forky")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run."""

    quick: bool
    optional: frozenset[str]
    pytest: tuple[str, ...]

    @property
    def chosen_by_hand(self) -> bool:
        """Whether the caller named the tests to run."""
        named = any((CHECKOUT / word.split("::")[0]).exists() for word in self.pytest)
        return named or "-m" in self.pytest

    @property
    def levels(self) -> list[str]:
        """The folders to run tests from."""
        return [name for name in every_level() if not self.left_out(name)]

    def left_out(self, level: str) -> str:
        """Say why a level does not run; empty if it does."""
        if self.quick and level not in QUICK:
            return "--quick runs " + ", ".join(QUICK) + " only"
        return "" if level in self.optional else OPTIONAL.get(level, "")

    def stages(self) -> list[list[list[str]]]:
        """What pytest is started with: stage after stage, the runs of each side by side."""
        if self.chosen_by_hand:
            return [[list(self.pytest)]]
        unwanted = [name for name in OPTIONAL if name not in self.optional]
        unwanted += ["slow", "installers"] if self.quick else []
        marks = ["-m", " and ".join(f"not {name}" for name in unwanted)] if unwanted else []
        common, levels = [*self.pytest, *marks], self.levels
        if "hosts" not in levels or "-k" in self.pytest:
            return [[[*common, *(f"tests/{level}" for level in levels)]]]
        others = [f"tests/{level}" for level in levels if level != "hosts"]
        editors = [[*common, "-k", releases, "tests/hosts"] for releases in SIDE_BY_SIDE]
        return [[[*common, *others]], editors]


def every_level() -> list[str]:
    """The folders that have tests, whether or not they run today."""
    folders = (CHECKOUT / "tests").iterdir()
    return sorted(folder.name for folder in folders if any(folder.rglob("test_*.py")))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one part went."""

    name: str
    passed: bool
    seconds: float
    tests: int = 0


def main() -> int:
    """Run everything; returns the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036
        print("The tests need Python 3.11 or newer.", file=sys.stderr)
        return 2
    plan = parse(sys.argv[1:])
    cache = cache_folder(os.environ)
    try:
        python = tests_python(cache)
    except InstallError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    environ = quiet_environ(os.environ, cache)
    outcomes = [check(name, command, environ) for name, command in checks(python, cache)]
    with tempfile.TemporaryDirectory(prefix="maskwright-tests-") as folder:
        start = time.monotonic()
        reports, passed = [], True
        for number, stage in enumerate(plan.stages()):
            runs = [(Path(folder, f"{number}-{at}.xml"), run) for at, run in enumerate(stage)]
            reports += [report for report, _ in runs]
            passed &= run_side_by_side(python, cache, runs, environ)
        outcomes.append(Outcome("pytest", passed, time.monotonic() - start))
        cases = [case for report in reports for case in read_report(report)]
    summarize(plan, [*outcomes, *levels_of(cases)], cases)
    print(last_line(cases, outcomes[-1]))
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def parse(arguments: Sequence[str]) -> Plan:
    """Split our own options from pytest's."""
    parser = argparse.ArgumentParser(
        description="Run lint, types and tests. Every other argument goes to pytest.",
        epilog="examples: tests/run.py --quick | tests/run.py tests/unit/test_edges.py -k feather",
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="lint, types and the quick tests")
    for name, why in OPTIONAL.items():
        parser.add_argument(f"--{name}", action="store_true", help=f"the {name} level too: {why}")
    given, rest = parser.parse_known_args(arguments)
    optional = frozenset(name for name in OPTIONAL if getattr(given, name))
    return Plan(given.quick, optional, tuple(rest))


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where environments and caches are kept: outside the checkout."""
    base = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "maskwright-dev"


def tests_python(cache: Path) -> Path:
    """The interpreter that has what the tests need; its environment is made if it is missing."""
    name = environment.digest(REQUIREMENTS, CHECKOUT, environment.python_tag(), sys.prefix)
    folder = cache / f"tests-{name}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    finished = folder / "finished"
    cache.mkdir(parents=True, exist_ok=True)
    with lock.held(cache / "lock", wait=True):
        if not finished.exists():
            start = time.monotonic()
            print(f"Making an environment for the tests in {folder} ...", flush=True)
            given = {**os.environ, "PIP_CACHE_DIR": pip_cache(os.environ, cache)}
            shell = environment.Shell(cache / "environment.log", given)
            environment.provide_venv(shell, print)
            environment.create(shell, folder, python)
            environment.install_pinned(shell, python, REQUIREMENTS)
            finished.touch()
            print(f"... took {time.monotonic() - start:.0f} s", flush=True)
    return python


def pip_cache(environ: Mapping[str, str], cache: Path) -> str:
    """Pip's cache, shared with the installations that the installer tests make."""
    return environ.get("PIP_CACHE_DIR") or str(cache / "pip")


def quiet_environ(environ: Mapping[str, str], cache: Path) -> dict[str, str]:
    """The environment of the checks: nothing in it makes a program write into the checkout.

    A user's settings for the product do not count here, what the tests themselves are told does.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name.startswith(FOR_TESTS) or not name.startswith("MASKWRIGHT_")
    }
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTEST_ADDOPTS"):
        kept.pop(name, None)
    return {
        **kept,
        "HYPOTHESIS_STORAGE_DIRECTORY": str(cache / "hypothesis"),
        "PIP_CACHE_DIR": pip_cache(environ, cache),
        "PYTHONPYCACHEPREFIX": str(cache / "bytecode"),
        "RUFF_CACHE_DIR": str(cache / "ruff"),
    }


def checks(python: Path, cache: Path) -> list[tuple[str, list[str]]]:
    """The checks that are no tests, by name."""
    module = [str(python), "-m"]
    return [
        ("lint", [*module, "ruff", "check", "--quiet"]),
        ("format", [*module, "ruff", "format", "--check", "--quiet"]),
        ("types", [*module, "mypy", "--cache-dir", str(cache / "mypy"), "--no-error-summary"]),
    ]


def check(name: str, command: Sequence[str], environ: Mapping[str, str]) -> Outcome:
    """Run one check; what it finds goes to the terminal."""
    start = time.monotonic()
    passed = subprocess.run(command, cwd=CHECKOUT, env=environ).returncode == 0
    print(f"{name}: {'ok' if passed else 'FAILED'}", flush=True)
    return Outcome(name, passed, time.monotonic() - start)


def run_side_by_side(
    python: Path, cache: Path, runs: Sequence[tuple[Path, list[str]]], environ: Mapping[str, str]
) -> bool:
    """Run pytest several times at once; says whether all passed.

    What the first says is shown as it comes, what the others say after it.
    """
    started = []
    for at, (report, arguments) in enumerate(runs):
        command = [str(python), "-m", "pytest", f"--junitxml={report}"]
        command += ["-o", f"cache_dir={cache}/pytest-{at}", *arguments]
        command += ["--color=yes"] if sys.stdout.isatty() else []
        output = None if at == 0 else report.with_suffix(".txt").open("w+b")
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environ, stdout=output)
        started.append((process, output))
    passed = True
    for process, output in started:
        passed &= process.wait() == 0
        if output is not None:
            output.seek(0)
            print(output.read().decode(errors="replace"), flush=True)
            output.close()
    return passed


@dataclass(frozen=True, slots=True)
class Case:
    """How one test went; `skipped` says why it did not run."""

    level: str
    name: str
    failed: bool
    seconds: float
    skipped: str = ""


def read_report(report: Path) -> list[Case]:
    """The tests in a report of pytest's; none if it did not come to writing one."""
    if not report.exists():
        return []
    cases = []
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        name = f"{case.get('classname')}.{case.get('name')}"
        failed = case.find("failure") is not None or case.find("error") is not None
        skip = case.find("skipped")
        why = "" if skip is None else skip.get("message") or "no reason given"
        cases.append(Case(name.split(".")[1], name, failed, float(case.get("time", 0)), why))
    return cases


def levels_of(cases: Sequence[Case]) -> list[Outcome]:
    """The tests added up by level."""
    found = []
    for level in sorted({case.level for case in cases}):
        own = [case for case in cases if case.level == level]
        failed = any(case.failed for case in own)
        found.append(Outcome(level, not failed, sum(case.seconds for case in own), len(own)))
    return found


def last_line(cases: Sequence[Case], pytest: Outcome) -> str:
    """All runs together, as pytest sums up one."""
    skipped = sum(bool(case.skipped) for case in cases)
    failed = sum(case.failed for case in cases)
    counts = {"failed": failed, "passed": len(cases) - failed - skipped, "skipped": skipped}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    if not pytest.passed and not failed:
        said = f"1 error, {said or 'no test ran'}"  # it ended before it could report
    return f"=== {said} in {pytest.seconds:.2f}s ==="


def summarize(plan: Plan, outcomes: Sequence[Outcome], cases: Sequence[Case]) -> None:
    """Say what ran, for how long, and what was left out and why."""
    print("\nWhat ran        result  tests  minutes")
    for outcome in outcomes:
        result = "ok" if outcome.passed else "FAILED"
        count = str(outcome.tests or "")
        print(f"  {outcome.name:<14}{result:<8}{count:>5}{outcome.seconds / 60:>9.2f}")
    left_out = [f"{name}: {why}" for name in every_level() if (why := plan.left_out(name))]
    if plan.quick:
        left_out += ["tests marked slow: leave --quick away"]
    if plan.chosen_by_hand:
        left_out = ["every test that was not named on the command line"]
    left_out += [f"{case.name}: {case.skipped}" for case in cases if case.skipped]
    for line in left_out:
        print(f"Left out, {line}")
    print()


if __name__ == "__main__":
    sys.exit(main())
