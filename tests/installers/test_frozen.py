"""The frozen engine is the engine: the same masks, the same service, and nothing but itself."""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from engine_client import matted
from engine_process import command as source_command
from engine_process import wait_for
from environment import Shell
from frozen.entry import give_back_library_path
from linux.glibc import oldest_glibc
from maskwright.imaging.png_write import profile_chunk
from maskwright_client.cancel import CancelSwitch
from maskwright_client.client import Engine
from maskwright_client.places import locate
from maskwright_client.protocol import AlphaRequest
from maskwright_client.starting import Starter
from numpy.typing import NDArray
from PIL import Image
from proc_files import descendants, is_alive
from sample_pictures import adobe_rgb_like, png, swapped_cmyk_profile, tiff
from spawned import Spawned

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLE = CHECKOUT / "installers/sample/coffee.jpg"

pytestmark = [pytest.mark.installers, pytest.mark.timeout(600)]
# Read here, as no test sees the user's variables.
REQUIRED = os.environ.get("MASKWRIGHT_HOSTS") == "required"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "Zoë 山田"
    folder.mkdir()
    return folder


def environ(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C", **more}


def run(
    command: Sequence[str | Path], home: Path, **more: str
) -> "subprocess.CompletedProcess[str]":
    given = environ(home, **more)
    return subprocess.run(list(command), env=given, capture_output=True, encoding="utf-8")


def mask(command: Sequence[str | Path], home: Path, target: Path) -> NDArray[Any]:
    said = run([*command, "cut", str(SAMPLE), "--mask", "-o", str(target)], home)
    assert said.returncode == 0, said.stderr
    with Image.open(target) as image:
        return np.asarray(image).astype(int)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_it_is_the_command(frozen: Path, home: Path) -> None:
    said = run([frozen / "maskwright", "--version"], home)
    assert said.stdout.startswith("maskwright, version ")
    assert "Traceback" not in run([frozen / "maskwright", "cut", "nothing.jpg"], home).stderr
    assert "setup" in run([frozen / "maskwright", "--help"], home).stdout
    assert names(home) == []


def test_it_makes_the_mask_that_the_source_makes(frozen: Path, home: Path, tmp_path: Path) -> None:
    before = names(frozen)
    ours = mask([frozen / "maskwright"], home, tmp_path / "frozen.png")
    theirs = mask(source_command(), home, tmp_path / "source.png")
    assert 0.25 < (ours > 250).mean() < 0.75
    assert np.abs(ours - theirs).max() <= 1
    assert names(home) == []  # no telemetry's device id, no caches
    assert names(frozen) == before


def test_it_needs_no_network(frozen: Path, home: Path, tmp_path: Path) -> None:
    alone = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if run([*alone, "true"], home).returncode:
        assert not REQUIRED, "CI must be able to do that"
        pytest.skip("this machine does not let anybody leave the network")
    assert run([*alone, "cat", "/proc/net/route"], home).stdout.count("\n") <= 1
    assert mask([*alone, frozen / "maskwright"], home, tmp_path / "mask.png").max() == 255


def every_kind(folder: Path) -> list[Path]:
    """Photos in every container, and TIFFs of every compression, that the source reads."""
    with Image.open(SAMPLE) as photo:
        small = photo.resize((240, 160))
    wide = np.asarray(small).astype(np.uint16) * 257
    for end in ("png", "webp", "avif", "bmp"):
        small.save(folder / f"plain.{end}")
    small.convert("CMYK").save(folder / "cmyk.jpg", icc_profile=swapped_cmyk_profile())
    (folder / "wide.png").write_bytes(png(wide, profile_chunk(adobe_rgb_like())))
    for compression in ("lzw", "adobe_deflate", "packbits", "lzma", "zstd"):
        predictor = compression != "packbits"
        made = tiff(wide, compression=compression, predictor=predictor, photometric="rgb")
        (folder / f"{compression}.tif").write_bytes(made)
    small.save(folder / "jpeg.tif", compression="jpeg")
    return sorted(folder.iterdir())


def test_it_reads_and_writes_every_kind_of_photo(frozen: Path, home: Path, tmp_path: Path) -> None:
    """No codec was left out that is used."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photos = every_kind(folder)
    assert len(photos) == 12
    results = []
    commands = {"frozen": [str(frozen / "maskwright")], "source": source_command()}
    for name, command in commands.items():
        out = tmp_path / name
        said = run([*command, "cut", *photos, "-o", out], home)
        assert said.returncode == 0, said.stderr
        for end in ("tif", "webp"):
            said = run([*command, "cut", folder / "plain.webp", "-o", out / f"one.{end}"], home)
            assert said.returncode == 0, said.stderr
        results.append({path.name: alpha_of(path) for path in out.iterdir()})
    ours, theirs = results
    assert len(ours) == len(photos) + 2
    assert ours.keys() == theirs.keys()
    for name, alpha in ours.items():
        assert np.abs(alpha - theirs[name]).max() <= 1, name


def alpha_of(path: Path) -> NDArray[Any]:
    if path.suffix == ".tif":
        samples: NDArray[Any] = tifffile.imread(path)[..., 3]
        return samples.astype(int) // (257 if samples.dtype == np.uint16 else 1)
    with Image.open(path) as image:
        return np.asarray(image.getchannel("A")).astype(int)


def test_the_doctor_finds_it_well(frozen: Path, home: Path) -> None:
    said = run([frozen / "maskwright", "doctor", "--json"], home)
    assert said.returncode == 0, said.stdout
    checks = json.loads(said.stdout)["checks"]
    assert {check["status"] for check in checks} <= {"ok", "warn"}
    # Nothing is installed in this home, neither the engine nor an editor.
    assert {check["name"] for check in checks if check["status"] == "warn"} <= {"service", "hosts"}


@contextmanager
def service(command: Sequence[str], home: Path) -> Iterator[tuple[Engine, Spawned, float]]:
    """An engine that a plug-in's client has started, and the seconds until it was ready."""
    spawned = Spawned()
    places = locate(sys.platform, {}, home)
    starter = Starter(places, environ(home), command=command, spawn=spawned)
    start = time.monotonic()
    try:
        found = starter.start(lambda seconds: None, CancelSwitch())
        yield Engine(found), spawned, time.monotonic() - start
    finally:
        spawned.end()


def test_a_plug_in_starts_it_and_gets_the_alpha_that_the_source_gives(
    frozen: Path, home: Path, tmp_path: Path
) -> None:
    with Image.open(SAMPLE) as photo:
        pixels = np.asarray(photo.convert("RGB"))
    alphas = []
    other = tmp_path / "other"
    other.mkdir()
    for command, place in (([str(frozen / "maskwright")], home), (source_command(), other)):
        with service(command, place) as (engine, spawned, _):
            matte_id, info = matted(engine, pixels)
            alphas.append(np.frombuffer(engine.alpha(matte_id, info, AlphaRequest()).samples, "u1"))
            (process,) = spawned.processes
            pids = descendants(process.pid)
            children = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids]
        assert process.returncode == 0
        is_frozen = place == home
        # The network ran in a process of its own, which is this program again.
        assert any(b"--multiprocessing-fork" in child for child in children), children
        assert is_frozen == any(child.startswith(os.fsencode(frozen)) for child in children)
        wait_for(lambda pids=pids: not any(is_alive(pid) for pid in pids), 5.0)
        log = place / ".local/share/maskwright/run/engine.log"
        assert not log.exists() or "Traceback" not in log.read_text()
    ours, theirs = (alpha.astype(int) for alpha in alphas)
    assert ours.max() == 255
    assert np.abs(ours - theirs).max() <= 1


def test_it_is_ready_about_as_soon_as_the_source(frozen: Path, home: Path) -> None:
    times: dict[str, list[float]] = {"frozen": [], "source": []}
    commands = {"frozen": [str(frozen / "maskwright")], "source": source_command()}
    for _ in range(5):
        for name, command in commands.items():
            with service(command, home) as (_, _, seconds):
                times[name].append(seconds)
    ours, theirs = (statistics.median(times[name]) for name in ("frozen", "source"))
    sys.stdout.write(f"\nno process to ready: frozen {ours:.2f} s, source {theirs:.2f} s\n")
    assert ours < 3 * theirs + 1


@pytest.mark.parametrize("before", [None, "/opt/theirs"])
def test_what_it_starts_gets_the_libraries_of_the_system(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle's loader puts its own libraries first, and the user's path aside."""
    monkeypatch.setenv("LD_LIBRARY_PATH", "/the/bundle")
    if before:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    give_back_library_path()
    found = subprocess.run(["/usr/bin/env"], capture_output=True, encoding="utf-8").stdout
    lines = [line for line in found.splitlines() if line.startswith("LD_LIBRARY_PATH")]
    assert lines == ([f"LD_LIBRARY_PATH={before}"] if before else [])


def test_it_runs_on_older_systems(frozen: Path, tmp_path: Path) -> None:
    """Nothing that is chosen here asks for a newer C library than the Python that builds."""
    shell = Shell(tmp_path / "log", os.environ)
    machines = tmp_path / "machines"
    machines.mkdir()
    internal = frozen / "_internal"
    for path in (*internal.glob("*.so*"), *internal.glob("python3*/lib-dynload/*.so")):
        if not path.is_symlink():  # those lead to what packages bring
            shutil.copy(path, machines)
    python, needed = (as_numbers(oldest_glibc(where, shell)) for where in (machines, frozen))
    sys.stdout.write(f"\nglibc {needed}, of that by Python and what it needs {python}\n")
    assert needed <= max(python, (2, 28))
    said = ""
    for path in frozen.rglob("*.so*"):
        said += shell.run(["objdump", "--private-headers", path], "unreadable")
    versions = [as_numbers(found) for found in re.findall(r"GLIBCXX_([\d.]+)", said)]
    assert (3, 4) < max(versions) <= (3, 4, 30)  # the one of Ubuntu 22.04
    brought = {path.name.split(".so")[0] for path in frozen.rglob("*.so*")}
    assert not brought & {"libstdc++", "libgcc_s", "libc", "libm", "libonnxruntime"}


def as_numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_everything_in_it_is_listed_with_its_licence(frozen: Path) -> None:
    papers = frozen / "_internal/papers"
    listed = json.loads((papers / "sbom.cdx.json").read_bytes())
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    components = {one["name"]: one for one in listed["components"]}
    pins = (CHECKOUT / "installers/requirements.txt").read_text()
    third_party = (papers / "THIRD-PARTY.md").read_text()
    for name in ("numpy", "onnxruntime", "pillow", "imagecodecs", "tifffile", "uvicorn", "click"):
        assert f"\n{name}=={components[name]['version']} " in pins
        assert f"| {name} |" in third_party
    assert {"python", "pyinstaller", "u2netp"} <= components.keys()
    assert "hatchling" not in components
    for name, one in components.items():
        texts = list((papers / "licences" / name).iterdir())
        assert max(path.stat().st_size for path in texts) > 500, name
        (licence,) = one["licenses"]
        assert licence.get("expression") or licence["license"]["name"]
    notices = papers / "licences/onnxruntime/onnxruntime-ThirdPartyNotices.txt"
    assert notices.stat().st_size > 100_000
    refs = [one["bom-ref"] for one in listed["components"]]
    assert len(refs) == len(set(refs)) == len(components)
    assert (papers / "LICENSE").read_bytes() == (CHECKOUT / "LICENSE").read_bytes()


def test_it_is_as_small_as_it_was(frozen: Path) -> None:
    size = sum(path.lstat().st_size for path in frozen.rglob("*") if path.is_file())
    sys.stdout.write(f"\nthe frozen engine: {size / 1e6:.0f} MB\n")
    assert size < 160e6
    assert any(path.is_symlink() for path in frozen.rglob("*"))  # not each library twice
    assert all(path.stat().st_mode & 0o022 == 0 for path in frozen.rglob("*"))
