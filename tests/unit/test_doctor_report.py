import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from maskwright.doctor.report import Check, Report, Scrubber, Status

GOOD = Check("python", Status.ok, "Python 3.11.7.", figures={"version": "3.11.7"})
SO_SO = Check("disk", Status.warn, "The disk is nearly full.", "Free some space.")
MENDED = Check("repair:gimp", Status.done, "The script may be executed now.", "Restart GIMP.")
BAD = Check("model:x", Status.fail, "The model is damaged.", "Get it again.")
HOME = Path("/home/ann")


def test_only_a_failure_makes_it_ill() -> None:
    assert Report((MENDED, GOOD, SO_SO)).is_well
    assert not Report((GOOD, BAD)).is_well


def test_the_lines_for_people() -> None:
    assert Report((MENDED, GOOD, SO_SO, BAD)).lines() == [
        "done  The script may be executed now.",
        "      -> Restart GIMP.",
        "ok    Python 3.11.7.",
        "warn  The disk is nearly full.",
        "      -> Free some space.",
        "fail  The model is damaged.",
        "      -> Get it again.",
        "",
        "1 to repair, 1 to look at.",
    ]
    assert Report((GOOD,)).lines()[-1] == "All is well."
    assert Report((GOOD, SO_SO)).lines()[-1] == "Maskwright works; 1 to look at."


def test_the_json_for_programs() -> None:
    document = json.loads(json.dumps(Report((GOOD, BAD)).as_json()))
    assert document["schema"] == 1
    assert document["is_well"] is False
    assert document["checks"][0] == {
        "name": "python",
        "status": "ok",
        "message": "Python 3.11.7.",
        "fix": None,
        "figures": {"version": "3.11.7"},
    }


def clean(text: str, environ: dict[str, str] | None = None, home: Path = HOME) -> str:
    return Scrubber(home, environ or {}).text(text)


def test_the_home_folder_becomes_a_tilde() -> None:
    assert clean("in /home/ann/models and /home/ann.") == "in ~/models and ~."
    assert clean("in /home/anna/models") == "in /home/anna/models"
    assert clean("in /usr/lib", home=Path("/")) == "in /usr/lib"


def test_a_linked_home_folder_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    text = f"{tmp_path}/link/a {tmp_path}/real/b"
    assert clean(text, home=tmp_path / "link") == "~/a ~/b"


def test_secrets_go() -> None:
    environ = {"MASKWRIGHT_TOKEN_HUGGINGFACE": "s3cret-one", "API_KEY": "abc", "LANG": "german"}
    assert clean("got s3cret-one abc german", environ) == "got <secret> abc german"
    assert clean("header hf_AbCdEf123456 sent") == "header <token> sent"
    assert clean("via http://ann:pass@proxy:80/x") == "via http://<credentials>@proxy:80/x"


@given(st.text(alphabet="ab/~ .", max_size=12), st.text(alphabet="ab/~ .", max_size=12))
def test_no_text_keeps_the_home_folder(before: str, after: str) -> None:
    cleaned = clean(f"{before} /home/ann/{after} /home/ann")
    assert "/home/ann" not in cleaned


def test_every_part_of_a_report_is_cleaned() -> None:
    figures = {"a": "/home/ann/x", "b": ["/home/ann/y"], "c": {"d": "/home/ann"}, "e": 5}
    check = Check("x", Status.warn, "See /home/ann/z.", "Remove /home/ann/z.", figures)
    (cleaned,) = Scrubber(HOME, {}).report([check]).checks
    assert cleaned.message == "See ~/z."
    assert cleaned.fix == "Remove ~/z."
    assert cleaned.figures == {"a": "~/x", "b": ["~/y"], "c": {"d": "~"}, "e": 5}
