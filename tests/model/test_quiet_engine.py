"""The engine tells nobody about itself and keeps no file that nobody asked for."""

from pathlib import Path

import pytest
from own_process import run_maskwright
from subject_photos import save_ball


def test_a_cut_leaves_nothing_but_its_result(home: Path, monkeypatch: pytest.MonkeyPatch):
    # onnxruntime writes a device id and an event store at import, unless CI is set or it is told
    # not to.
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    photo = save_ball(home / "ball.png")
    done = run_maskwright("cut", str(photo), cwd=home)
    assert done.returncode == 0, done.stderr
    files = sorted(path.name for path in home.rglob("*") if path.is_file())
    assert files == ["ball-cutout.png", "ball.png"]
