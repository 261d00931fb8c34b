"""How roots are made, and what of the machine they are made from; makes none."""

import os
from collections.abc import Sequence
from pathlib import Path

import host_roots
import pytest
from environment import Shell
from host_fixtures import provided
from host_machine_apt import machine_apt
from host_root import Root
from host_roots import EXPERIMENTAL, TRIXIE, NoRoots, provide
from maskwright.setup.failure import InstallError

pytestmark = pytest.mark.hosts


class Apt(Shell):
    """A machine's apt, as far as it is asked; what it is told to do is kept in `done`."""

    def __init__(self, sources: Sequence[str], settings: str) -> None:
        super().__init__(Path("log"), {})
        self._sources = list(sources)
        self._settings = settings
        self.done: list[str] = []

    def run(self, arguments: Sequence[str | Path], trouble: str) -> str:
        command = " ".join(map(str, arguments))
        self.done.append(command)
        if command.startswith("apt-get indextargets"):
            assert "Origin: Debian" in command
            return self._sources.pop(0)
        return self._settings if command == "apt-config dump" else ""


def test_lists_are_fetched_where_there_are_none():
    apt = Apt(["", "https://there/debian/\nhttps://elsewhere/\n"], "")
    assert machine_apt(apt).mirror == "https://there/debian/"
    assert apt.done[1] == "apt-get update"


def test_a_machine_without_a_source_of_debian_has_no_root():
    with pytest.raises(InstallError, match="no enabled package source of Debian's own"):
        machine_apt(Apt(["", "file:/media/disc\n"], ""))


def test_the_way_to_the_mirror_is_carried_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("http_proxy", raising=False)
    certificates = tmp_path / "certificates.crt"
    certificates.touch()
    settings = [
        'Acquire::http::Proxy "http://proxy:3128";',
        f'Acquire::https::CaInfo "{certificates}";',
        'Acquire::Check-Date "false";',
        'DPkg::Post-Invoke:: "do-something";',
    ]
    apt = machine_apt(Apt(["http://there/\n"], "\n".join(settings)))
    (inside,) = (bind.inside for bind in apt.binds if bind.outside == certificates)
    settings[1] = f'Acquire::https::CaInfo "{inside}";'
    assert apt.settings.splitlines() == settings[:3]
    assert all(bind.read_only for bind in apt.binds)
    assert apt.proxies["http_proxy"] == "http://proxy:3128"


class Builder:
    """Stands for what makes a root; `trouble` is what it fails with."""

    def __init__(self, trouble: str = "") -> None:
        self.built: list[Root] = []
        self._trouble = trouble

    def __call__(self, root: Root, shell: Shell, say: object) -> None:
        assert not root.folder.exists()
        root.folder.mkdir()
        if self._trouble:
            raise InstallError(self._trouble)
        self.built.append(root)


def provide_with(builder: Builder, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    monkeypatch.setattr(host_roots, "_obstacle", lambda: "")
    monkeypatch.setattr(host_roots, "build", builder)
    return provide(TRIXIE, cache, lambda line: None)


def test_a_root_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    builder = Builder()
    roots = [provide_with(builder, tmp_path, monkeypatch) for _ in range(2)]
    assert roots[0] == roots[1]
    assert builder.built == roots[:1]


def test_a_root_that_was_left_half_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = provide_with(Builder(), tmp_path, monkeypatch)
    (root.cache / "finished").unlink()
    (root.folder / "left").touch()
    builder = Builder()
    assert provide_with(builder, tmp_path, monkeypatch) == root
    assert builder.built == [root]
    assert not (root.folder / "left").exists()


def test_other_packages_make_another_root_and_a_forgotten_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    roots = []
    for packages in ("gimp",), ("krita",), ("gimp", "krita"):
        monkeypatch.setattr(host_roots, "PACKAGES", packages)
        roots.append(provide_with(Builder(), tmp_path, monkeypatch))
    assert [root.cache.exists() for root in roots] == [True, True, True]
    os.utime(roots[0].cache / "finished", (0, 0))
    monkeypatch.setattr(host_roots, "PACKAGES", ())
    provide_with(Builder(), tmp_path, monkeypatch)
    assert [root.cache.exists() for root in roots] == [False, True, True]


def test_a_root_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(NoRoots, match="no way to the mirror"):
        provide_with(Builder("no way to the mirror"), tmp_path, monkeypatch)
    assert [path.name for path in (tmp_path / "roots").iterdir()] == ["trixie.lock"]


def test_a_machine_without_a_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoRoots, match="unshare"):
        provide(TRIXIE, tmp_path, lambda line: None)


def no_krita() -> Root:
    raise NoRoots("Release 'experimental' for 'krita' was not found")


@pytest.mark.parametrize("how", ["", "required"])
def test_what_is_ahead_may_be_gone_and_what_is_released_may_not(
    how: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MASKWRIGHT_HOSTS", how)
    with pytest.raises(pytest.skip.Exception, match="for 'krita' was not found"):
        provided(EXPERIMENTAL, no_krita)
    missing = NoRoots if how else pytest.skip.Exception
    with pytest.raises(missing, match="was not found"):
        provided(TRIXIE, no_krita)
