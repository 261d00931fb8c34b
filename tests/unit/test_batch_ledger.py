"""What a batch remembers, and how it judges what lies in the output folder."""

import json

import pytest
from maskwright.batch.ledger import Entry, Ledger, Source, Stamp, Standing, stamp, write_json

PHOTO = Stamp(100, 1)
RESULT = Stamp(200, 2)
SOURCE = Source("a.jpg", PHOTO, "recipe")
ENTRY = Entry(SOURCE, RESULT, {"doubt": 0.25})


@pytest.fixture
def ledger(tmp_path):
    book = Ledger(tmp_path / "ledger.json")
    book.record("a-mask.png", ENTRY)
    return book


@pytest.mark.parametrize(
    ("there", "source", "expected"),
    [
        (None, SOURCE, Standing.missing),
        (RESULT, SOURCE, Standing.current),
        (Stamp(201, 3), SOURCE, Standing.current),
        (RESULT, Source("a.jpg", Stamp(101, 1), "recipe"), Standing.outdated),
        (RESULT, Source("a.jpg", Stamp(100, 9), "recipe"), Standing.outdated),
        (RESULT, Source("a.jpg", PHOTO, "other"), Standing.outdated),
        (RESULT, Source("a.png", PHOTO, "recipe"), Standing.outdated),
        (Stamp(201, 3), Source("a.jpg", PHOTO, "other"), Standing.foreign),
    ],
)
def test_standing(ledger, there, source, expected):
    assert ledger.standing("a-mask.png", there, source) is expected


def test_a_file_that_nobody_recorded_is_foreign(ledger):
    assert ledger.standing("b-mask.png", RESULT, SOURCE) is Standing.foreign


def test_every_record_is_on_the_disk_at_once_and_comes_back(tmp_path, ledger):
    ledger.record("b \udcff.png", ENTRY)
    again = Ledger(tmp_path / "ledger.json")
    assert again.entry("a-mask.png") == ENTRY
    assert again.entry("b \udcff.png") == ENTRY
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.json"]


def test_no_ledger_is_an_empty_one(tmp_path):
    ledger = Ledger(tmp_path / "none.json")
    assert ledger.entry("a") is None
    assert not ledger.was_damaged


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "\xff",
        '{"maskwright_batch": 99, "results": {}}',
        '{"maskwright_batch": 1}',
        '{"maskwright_batch": 1, "results": {"a": {"source": "a.jpg"}}}',
    ],
)
def test_a_damaged_ledger_is_said_to_be_one_and_counts_as_empty(tmp_path, text):
    path = tmp_path / "ledger.json"
    path.write_text(text, "latin-1")
    ledger = Ledger(path)
    assert ledger.was_damaged
    assert ledger.entry("a") is None
    ledger.record("a", ENTRY)
    assert not Ledger(path).was_damaged


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"good": 1})
    with pytest.raises(TypeError):
        write_json(path, {"bad": object()})
    assert json.loads(path.read_text()) == {"good": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["x.json"]


def test_a_stamp_is_size_and_time_and_none_without_a_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"123")
    assert stamp(path) == Stamp(3, path.stat().st_mtime_ns)
    assert stamp(tmp_path / "b") is None
