"""What `installers/build.py` makes of a clean checkout, and what it says of any other."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import artefacts
import pytest

pytestmark = [pytest.mark.installers, pytest.mark.timeout(900)]

CHECKOUT = Path(__file__).resolve().parents[2]
ON_LINUX = [
    "maskwright-0.1.0-linux-x86_64.tar.xz",
    "maskwright-gimp-0.1.0.zip",
    "maskwright-krita-0.1.0.zip",
    "maskwright_0.1.0_amd64.deb",
]


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Builder:
    """A checkout that can be built from, and the real environment to do it in."""

    checkout: Path
    cache: Path

    def build(self, *arguments: str) -> Said:
        script = str(self.checkout / "installers/build.py")
        given = {"HOME": str(self.cache.parent), "PATH": os.environ["PATH"]}
        given |= {"XDG_CACHE_HOME": str(self.cache)}
        done = subprocess.run(
            [sys.executable, script, *arguments],
            env=given,
            cwd=self.checkout.parent,
            capture_output=True,
            encoding="utf-8",
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def git(self, *arguments: str) -> None:
        who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
        command = ["git", "-C", str(self.checkout), *who, *arguments]
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="session")
def cache(frozen: Path) -> Path:
    """The cache that the frozen engine is in, and the environment that it was built in."""
    return frozen.parents[2]


@pytest.fixture
def builder(cache: Path, tmp_path: Path) -> Builder:
    checkout = tmp_path / "chéckout 部"
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("engine", "installers", "plugin"):
        shutil.copytree(CHECKOUT / name, checkout / name, ignore=skip)
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore"):
        shutil.copy(CHECKOUT / name, checkout)
    return Builder(checkout, cache)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    found = {path: path.lstat() for path in folder.rglob("*") if ".git" not in path.parts}
    return {
        str(path.relative_to(folder)): (entry.st_size, entry.st_mtime_ns)
        for path, entry in found.items()
    }


def sums(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    return {line.partition("  ")[2]: line.partition("  ")[0] for line in lines}


def test_everything_that_this_machine_can_build(
    builder: Builder, frozen: Path, tmp_path: Path
) -> None:
    builder.git("init", "--quiet")
    builder.git("add", "--all")
    builder.git("commit", "--quiet", "--message", "all")
    before = listing(builder.checkout)
    out = tmp_path / "öut put"
    said = builder.build("--out", str(out))
    assert said.code == 0, said.err
    assert "Careful" not in said.out
    assert "no checkout" not in said.out
    assert "Left out, setup (the setup for Windows): it needs --payload" in said.out
    assert "Left out, pkg (the package for macOS): it needs macOS" in said.out
    assert listing(builder.checkout) == before
    assert sorted(path.name for path in out.iterdir()) == ["SHA256SUMS", *ON_LINUX]
    assert list(sums(out)) == ON_LINUX
    for name, sha256 in sums(out).items():
        content = (out / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256
        assert f"{len(content) / 1e6:8.1f} MB  {sha256}  {name}\n" in said.out
    sys.stdout.write(f"\n{said.out}")

    # Built elsewhere and at another time, the engine is the same, byte for byte.
    with tarfile.open(out / ON_LINUX[0]) as archive:
        for member in archive:
            inside = member.name.partition("/engine/")[2]
            if inside and member.isfile():
                file = archive.extractfile(member)
                assert file is not None
                assert file.read() == (frozen / inside).read_bytes(), inside


def test_the_zips_take_a_second_and_are_the_same_each_time(
    builder: Builder, tmp_path: Path
) -> None:
    before = listing(builder.checkout)
    found = []
    for name in ("first", "second"):
        said = builder.build("zips", "--out", str(tmp_path / name))
        assert said.code == 0, said.err
        assert "no checkout of git's" in said.out
        assert "the engine" not in said.out
        found.append(sums(tmp_path / name))
    assert list(found[0]) == ON_LINUX[1:3]
    assert found[0] == found[1]
    (tmp_path / "first/maskwright-krita-0.1.0.zip").unlink()
    (tmp_path / "first/maskwright_0.1.0_amd64.deb").write_bytes(b"from another machine")
    artefacts.write_sums(tmp_path / "first")
    assert list(sums(tmp_path / "first")) == [ON_LINUX[1], ON_LINUX[3]]
    assert listing(builder.checkout) == before


def test_changes_that_git_has_not_got_are_named(builder: Builder, tmp_path: Path) -> None:
    builder.git("init", "--quiet")
    builder.git("add", "--all")
    builder.git("commit", "--quiet", "--message", "all")
    assert list(artefacts.remarks(builder.checkout)) == []
    with (builder.checkout / "README.md").open("a") as file:
        file.write("more\n")
    (builder.checkout / "new.py").touch()
    said = builder.build("zips", "--out", str(tmp_path / "out"))
    assert said.code == 0, said.err
    assert "Careful: git has not got 2 changes of this checkout" in said.out


def test_what_it_says_to_bad_usage(builder: Builder, tmp_path: Path) -> None:
    said = builder.build("--help")
    assert said.code == 0
    for words in ("examples:", "python3 installers/build.py zips", "tarball", "exit codes:"):
        assert words in said.out
    said = builder.build("appimage")
    assert (said.code, "there is no artefact appimage" in said.err) == (2, True)
    said = builder.build("setup")
    assert (said.code, "setup cannot be built here: it needs --payload" in said.err) == (2, True)
    said = builder.build("setup", "--payload", str(tmp_path), "--out", str(tmp_path / "out"))
    assert (said.code, "is no engine for Windows" in said.err) == (1, True)
    assert not (builder.checkout / "dist").exists()


def test_a_folder_that_cannot_be_written_is_named(builder: Builder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = builder.build("zips", "--out", str(tmp_path / "file/out"))
    assert said.code == 1
    assert str(tmp_path / "file/out") in said.err
