"""The shipped catalogue is complete, and the reader takes nothing else for one."""

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from maskwright.errors import InputError, ModelError
from maskwright.models import catalogue as catalogue_module
from maskwright.models.catalogue import DEFAULT_MODEL, ModelSpec, load_catalogue
from maskwright.models.contract import OutputKind, Resize, SizeRule

SPECS = load_catalogue().specs
BUILTIN = Path(catalogue_module.__file__).with_name("builtin")

MINIMAL = """
[[model]]
id = "tiny"
title = "Tiny"
use = "Tests"
licence = "MIT"
licence_url = "https://example.org/licence"
commercial = true
bytes = 3
sha256 = "{sha}"
urls = ["https://example.org/tiny.onnx"]
[model.contract]
size_rule = "fixed"
size = 320
resize = "stretch"
mean = [0, 0, 0]
std = [1, 1, 1]
output_kind = "probability"
""".format(sha="0" * 64)


def read(tmp_path: Path, text: str) -> tuple[ModelSpec, ...]:
    path = tmp_path / "catalogue.toml"
    path.write_text(text, encoding="utf-8")
    return load_catalogue(path).specs


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_every_entry_is_complete_and_sane(spec: ModelSpec) -> None:
    assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", spec.id)
    assert all(text.strip() for text in (spec.title, spec.use, spec.licence))
    assert re.fullmatch(r"[0-9a-f]{64}", spec.sha256)
    assert spec.bytes > 1_000_000
    assert spec.urls
    for url in (*spec.urls, spec.licence_url):
        parts = urlsplit(url)
        assert parts.scheme == "https"
        assert parts.hostname in {"github.com", "huggingface.co"}
        assert parts.query == ""
        assert parts.username is None
    contract = spec.contract
    assert 0 <= contract.levels[0] < contract.levels[1] <= 1
    assert contract.size % contract.multiple == 0
    assert all(deviation > 0 for deviation in contract.std)
    assert (contract.ratio_input is None) == (not contract.state_inputs)


def test_hugging_face_urls_are_pinned_where_the_publisher_does_not_ask_for_a_token() -> None:
    for spec in SPECS:
        for url in spec.urls:
            if urlsplit(url).hostname == "huggingface.co" and not spec.gated:
                assert re.search(r"/resolve/[0-9a-f]{40}/", url), url


def test_ids_hashes_and_titles_are_unique() -> None:
    for what in ("id", "sha256", "title"):
        assert len({getattr(spec, what) for spec in SPECS}) == len(SPECS)


def test_the_built_in_model_is_the_one_in_the_package() -> None:
    builtin = [spec for spec in SPECS if spec.builtin]
    assert [spec.id for spec in builtin] == [DEFAULT_MODEL]
    content = (BUILTIN / "u2netp.onnx").read_bytes()
    assert len(content) == builtin[0].bytes
    assert hashlib.sha256(content).hexdigest() == builtin[0].sha256
    assert "Apache License" in (BUILTIN / "u2netp.LICENSE.txt").read_text(encoding="utf-8")
    assert builtin[0].sha256 in (BUILTIN / "u2netp.ORIGIN.txt").read_text(encoding="utf-8")


def test_one_model_is_recommended_and_needs_a_runtime_that_has_its_operator() -> None:
    recommended = [spec for spec in SPECS if spec.recommended]
    assert [spec.id for spec in recommended] == ["birefnet-lite"]
    assert recommended[0].min_onnxruntime == "1.25"
    assert not recommended[0].verified
    assert recommended[0].contract.size_rule is SizeRule.multiple
    assert recommended[0].contract.multiple == 64


def test_what_may_not_be_used_commercially_says_so() -> None:
    private = [spec for spec in SPECS if not spec.commercial]
    assert {spec.id for spec in private} == {"rmbg-1.4", "rmbg-1.4-quantized", "rmbg-2.0"}
    assert all("non-commercial" in spec.title and spec.note for spec in private)
    assert [spec.id for spec in SPECS if spec.gated] == ["rmbg-2.0"]


def test_contracts_that_differ_from_the_usual() -> None:
    by_id = {spec.id: spec.contract for spec in SPECS}
    assert by_id["isnet-anime"].resize is Resize.letterbox
    assert by_id["modnet"].size_rule is SizeRule.short_side
    assert by_id["rvm-mobilenetv3"].state_inputs == ("r1i", "r2i", "r3i", "r4i")
    assert by_id["birefnet-general"].output_kind is OutputKind.logits


def test_an_unknown_id_is_answered_with_the_known_ones_and_never_echoed() -> None:
    texts = set()
    for hostile in ("../x", "/etc/passwd", "%2e%2e", "con", "a\0b", "x" * 10_000, ""):
        with pytest.raises(InputError) as caught:
            load_catalogue().get(hostile)
        assert caught.value.code == "unknown-model"
        texts.add(str(caught.value))
    (text,) = texts
    assert all(spec.id in text for spec in SPECS)


def test_a_minimal_entry_gets_the_defaults(tmp_path: Path) -> None:
    (spec,) = read(tmp_path, MINIMAL)
    assert (spec.seconds, spec.memory_mb, spec.min_onnxruntime, spec.note) == (None,) * 3 + ("",)
    assert (spec.builtin, spec.gated, spec.recommended, spec.verified) == (False,) * 4
    assert (spec.contract.input_name, spec.contract.output_name) == ("", "")
    assert (spec.contract.levels, spec.contract.multiple) == ((0.0, 1.0), 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "tiny"', 'id = "../tiny"'),
        ('id = "tiny"', 'id = "own-0123456789ab"'),
        ('id = "tiny"', ""),
        ('title = "Tiny"', 'title = " "'),
        ("commercial = true", "commercial = 1"),
        ("bytes = 3", "bytes = 0"),
        ("bytes = 3", "bytes = true"),
        ("bytes = 3", 'bytes = "3"'),
        ("0" * 64, "0" * 63),
        ("0" * 64, "G" * 64),
        ("https://example.org/tiny.onnx", "http://example.org/tiny.onnx"),
        ("https://example.org/tiny.onnx", "https://user@example.org/tiny.onnx"),
        ('urls = ["https://example.org/tiny.onnx"]', "urls = []"),
        ("std = [1, 1, 1]", "std = [1, 1, 0]"),
        ("std = [1, 1, 1]", "std = [1, 1]"),
        ("size = 320", "size = 320\nmultiple = 64\nmulitple = 1"),
        ("size = 320", "size = 321\nmultiple = 64"),
        ("size = 320", "size = 320\nlevels = [0.5, 0.5]"),
        ('resize = "stretch"', 'resize = "squeeze"'),
        ('title = "Tiny"', 'title = "Tiny"\nseconds = -1'),
        ('title = "Tiny"', 'title = "Tiny"\nmin_onnxruntime = "new"'),
        ("[[model]]", "[[models]]"),
        ("[[model]]", "version = 1\n[[model]]"),
        ("[[model]]", "[[model"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert MINIMAL.count(old) == 1
    with pytest.raises(ModelError) as caught:
        read(tmp_path, MINIMAL.replace(old, new))
    assert caught.value.code == "bad-catalogue"


def test_two_entries_may_share_neither_id_nor_hash(tmp_path: Path) -> None:
    for other in (
        MINIMAL.replace('id = "tiny"', 'id = "small"'),
        MINIMAL.replace("0" * 64, "1" * 64),
    ):
        with pytest.raises(ModelError) as caught:
            read(tmp_path, MINIMAL + other)
        assert caught.value.code == "bad-catalogue"
