"""The parts of the package for Debian that need no engine: its manual page and its format."""

import lzma
import subprocess
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from environment import Shell
from linux import archive, needs
from linux.manual import manual
from maskwright.setup.failure import InstallError

TOP = """\
Usage: maskwright [OPTIONS] COMMAND [ARGS]...

  Remove the background of photos. Only a
  mask is computed.

Options:
  --version  Show it.

Commands:
  cut     Remove the...
  models  List them.

  Examples:
    maskwright cut photo.jpg

  Exit codes:
    0    done
"""
CUT = """\
Usage: maskwright cut [OPTIONS] PHOTO...

  Remove the background of each PHOTO.

  Nothing is overwritten.

Options:
  -o, --out OUT    A file, or
                   a folder.
  --shift X        Move the edge.  [-10<=x<=10]
  --a-very-long-name TEXT
                   Explained below.

  Examples:
    maskwright cut *.jpg -o cut-outs/
"""
MODELS = """\
Usage: maskwright models [OPTIONS] COMMAND [ARGS]...

  List them.

Options:
  -h, --help  Help.

Commands:
  get  Download a model.
"""
GET = """\
Usage: maskwright models get [OPTIONS] ID

  Download a model.

Options:
  -h, --help  Help.
"""
HELP = {(): TOP, ("cut",): CUT, ("models",): MODELS, ("models", "get"): GET}


def help_of(words: Sequence[str]) -> str:
    return HELP[tuple(words)]


def test_every_command_is_in_the_manual() -> None:
    page = manual(help_of, "1.2")
    assert page.startswith('.TH MASKWRIGHT 1 "" "maskwright 1.2" "User Commands"\n.SH NAME\n')
    sections = [line for line in page.splitlines() if line.startswith((".SH", ".SS"))]
    assert sections == [
        *(".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", ".SH COMMANDS"),
        '.SS "maskwright cut PHOTO..."',
        '.SS "maskwright models COMMAND [ARGS]..."',
        '.SS "maskwright models get ID"',
        ".SH NOTES",
    ]


def test_what_was_broken_into_lines_is_whole_again() -> None:
    page = manual(help_of, "1.2")
    assert ".PP\nRemove the background of photos. Only a mask is computed.\n" in page
    assert ".PP\nRemove the background of each PHOTO.\n.PP\nNothing is overwritten.\n" in page
    assert ".TP\n.B \\-o, \\-\\-out OUT\nA file, or a folder.\n" in page
    assert ".B \\-\\-a\\-very\\-long\\-name TEXT\nExplained below.\n" in page
    assert ".nf\nExamples:\n  maskwright cut *.jpg \\-o cut\\-outs/\n.fi\n" in page


def test_the_format_is_dpkgs(tmp_path: Path) -> None:
    control, data = tmp_path / "control", tmp_path / "data"
    control.mkdir()
    (control / "control").write_text("Package: x\n")
    (data / "opt/x").mkdir(parents=True)
    (data / "opt/x/program").write_bytes(b"odd")
    (data / "opt/x/link").symlink_to("program")
    for name in ("one.deb", "two.deb"):
        archive.write(tmp_path / name, control, data, ("opt",), 1_700_000_000, level=0)
    written = (tmp_path / "one.deb").read_bytes()
    assert written == (tmp_path / "two.deb").read_bytes()
    members = dict(ar_members(written))
    assert list(members) == ["debian-binary", "control.tar.xz", "data.tar.xz"]
    assert members["debian-binary"] == b"2.0\n"
    with tarfile.open(fileobj=BytesIO(lzma.decompress(members["data.tar.xz"]))) as tar:
        assert tar.getnames() == [".", "./opt/x", "./opt/x/link", "./opt/x/program"]
        owners = {(info.uid, info.gid, info.mtime) for info in tar.getmembers()}
        assert owners == {(0, 0, 1_700_000_000)}
    assert sorted(path.name for path in tmp_path.glob("*.deb*")) == ["one.deb", "two.deb"]


def ar_members(content: bytes) -> list[tuple[str, bytes]]:
    """What is in an ar archive, as ar(5) says."""
    found, at = [], len(b"!<arch>\n")
    assert content[:at] == b"!<arch>\n"
    while at < len(content):
        head = content[at : at + 60]
        assert head[58:] == b"`\n"
        size = int(head[48:58])
        found.append((head[:16].decode().strip(), content[at + 60 : at + 60 + size]))
        at += 60 + size + size % 2
    return found


def test_what_a_bundle_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "libown.so.1").write_bytes(b"\x7fELF")
    needed = ["libc.so.6", "libm.so.6", "libstdc++.so.6", "libown.so.1"]

    def said(arguments: Sequence[str | Path], trouble: str) -> str:
        lines = [f"  NEEDED               {name}\n" for name in needed]
        return "".join([*lines, "    0x069691b5 0x00 03 GLIBC_2.35\n    0x1 0x00 02 GLIBC_2.4\n"])

    shell = Shell(tmp_path / "log.txt", {})
    monkeypatch.setattr(shell, "run", said)
    assert needs.depends(bundle, shell) == "libc6 (>= 2.35), libstdc++6"
    needed.append("libnobody.so.3")
    with pytest.raises(InstallError, match=r"libnobody\.so\.3"):
        needs.depends(bundle, shell)


def test_maintainer_scripts_are_plain_shell() -> None:
    folder = Path(archive.__file__).parent / "debian"
    scripts = [folder / name for name in ("preinst", "postinst", "prerm", "postrm")]
    for script in scripts:
        done = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
