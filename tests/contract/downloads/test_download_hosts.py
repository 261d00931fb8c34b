"""Where a download may go, and to whom it tells what: redirects, proxies, tokens."""

from dataclasses import replace
from pathlib import Path

import pytest
from download_server import Bench, Handler, Server, spec_of, status, to, whole
from maskwright.cancel import CancelToken
from maskwright.errors import MaskwrightError
from maskwright.models.download import Downloader
from maskwright.models.transfer import MAX_REDIRECTS, is_allowed


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_on_the_same_host_are_followed(bench: Bench, server: Server, code: int) -> None:
    server.script = [to("/elsewhere", code), whole()]
    assert bench.get(spec_of(server.url())) == "fine"
    assert [path for path, _ in server.seen] == ["/model.onnx", "/elsewhere"]


def test_redirects_to_other_places_are_refused(
    bench: Bench, server: Server, other_server: Server
) -> None:
    for location in (
        other_server.url(host="localhost"),
        f"//localhost:{other_server.server_port}/x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        f"http://user:pw@127.0.0.1:{other_server.server_port}/x",
        "http://[::1/x",
        "http://127.0.0.1:99999/x",
    ):
        server.script = [to(location)]
        server.seen.clear()
        assert bench.get(spec_of(server.url())) == "host-refused"
        assert len(server.seen) == 1
    assert other_server.seen == []
    assert not bench.part.exists()


def test_the_body_of_a_redirect_is_not_read(bench: Bench, server: Server) -> None:
    sent: list[int] = []

    def endless(handler: Handler) -> None:
        handler.head(302, Location="/model.onnx", Content_Length=1 << 40)
        while not handler.server.released.is_set():
            sent.append(handler.wfile.write(bytes(1 << 16)))

    server.script = [endless, whole()]
    assert bench.get(spec_of(server.url())) == "fine"
    assert sum(sent) < 50_000_000


def test_redirects_without_end_are_given_up(bench: Bench, server: Server) -> None:
    server.script = [to("/again")]
    assert bench.get(spec_of(server.url())) == "download-failed"
    assert len(server.seen) == MAX_REDIRECTS + 1


def test_plain_http_is_refused_without_asking(tmp_path: Path, server: Server) -> None:
    with pytest.raises(MaskwrightError) as caught:
        Downloader().fetch(
            spec_of(server.url()),
            tmp_path / "tiny.onnx",
            token=lambda host: None,
            progress=lambda done, total: None,
            cancel=CancelToken(),
        )
    assert caught.value.code == "host-refused"
    assert server.seen == []


GITHUB = "https://github.com/a/b/releases/download/v1/c.onnx"
HUGGING_FACE = "https://huggingface.co/a/b/resolve/main/c.onnx"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (GITHUB, True),
        ("https://GitHub.com/x", True),
        ("https://github.com:443/x", True),
        ("https://release-assets.githubusercontent.com/x?sig=1", True),
        ("https://objects.githubusercontent.com/x", True),
        ("https://raw.githubusercontent.com/x", False),
        ("https://github.com:8443/x", False),
        ("http://github.com/x", False),
        ("https://user@github.com/x", False),
        ("https://github.com.evil.example/x", False),
        ("https://github.com./x", False),
        ("https://evil.example/github.com", False),
        ("https://127.0.0.1/x", False),
        ("https://cas-bridge.xethub.hf.co/x", False),  # GitHub does not hand out from there
    ],
)
def test_where_a_download_from_github_may_go(url: str, allowed: bool) -> None:
    assert is_allowed(url, [GITHUB], allow_http=False) is allowed


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://cas-bridge.xethub.hf.co/x", True),
        ("https://us.aws.cdn.hf.co/x", True),
        ("https://cdn-lfs.huggingface.co/x", True),
        ("https://cdn-lfs-us-1.huggingface.co/x", True),
        ("https://hf.co/x", False),
        ("https://evilhf.co/x", False),
        ("https://x.hf.co.evil.example/x", False),
        ("https://evil.huggingface.co/x", False),
        ("https://objects.githubusercontent.com/x", False),
    ],
)
def test_where_a_download_from_hugging_face_may_go(url: str, allowed: bool) -> None:
    assert is_allowed(url, [HUGGING_FACE], allow_http=False) is allowed


def test_the_proxy_of_the_environment_is_used(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url(""))
    assert bench.get(spec_of("http://models.invalid/tiny.onnx")) == "fine"
    assert [path for path, _ in server.seen] == ["http://models.invalid/tiny.onnx"]
    monkeypatch.setenv("https_proxy", server.url(""))
    bench.store(spec_of(server.url())).remove("tiny")
    with pytest.raises(MaskwrightError, match="proxy did not let it through"):
        bench.store(spec_of("https://models.invalid/tiny.onnx")).get("tiny")
    monkeypatch.setenv("https_proxy", "nonsense://models.invalid")
    assert bench.get(spec_of("https://models.invalid/tiny.onnx")) == "download-failed"


def test_the_token_goes_to_the_publisher_and_nobody_else(
    bench: Bench, server: Server, other_server: Server
) -> None:
    sent: list[str] = []
    spec = spec_of(server.url(), other_server.url(host="localhost"), gated=True)

    def token(host: str) -> str:
        sent.append(host)
        return "secret"

    def fetch(target: Path) -> None:
        Downloader(allow_http=True, sleep=lambda seconds: None).fetch(
            spec,
            target,
            token=token,
            progress=lambda done, total: None,
            cancel=CancelToken(),
        )

    bench.root.mkdir()
    server.script = [to("/inner"), to(other_server.url())]
    fetch(bench.root / "redirected.onnx")
    server.script = [status(403)]
    fetch(bench.root / "mirrored.onnx")
    seen = [headers.get("Authorization") for _, headers in server.seen]
    assert seen == ["Bearer secret"] * 3
    assert [headers.get("Authorization") for _, headers in other_server.seen] == [None, None]
    assert set(sent) == {"127.0.0.1"}
    left = b"".join(path.read_bytes() for path in bench.root.iterdir() if path.suffix != ".onnx")
    assert b"secret" not in left


@pytest.mark.parametrize("code", [401, 403])
def test_a_gated_host_without_a_token_says_what_to_do(
    bench: Bench, server: Server, code: int
) -> None:
    server.script = [status(code)]
    spec = spec_of(server.url(), gated=True)
    with pytest.raises(MaskwrightError, match=r"HF_TOKEN") as caught:
        bench.store(spec).get("tiny")
    assert caught.value.code == "access-denied"
    assert caught.value.exit_code == 2
    assert spec.licence_url in str(caught.value)
    assert bench.get(replace(spec, gated=False)) == "download-failed"


def test_a_password_file_is_never_used(
    bench: Bench, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert bench.get(spec_of(server.url())) == "fine"
    assert "Authorization" not in server.seen[0][1]
