"""Files that cannot be used: one sentence, a stable code, nothing else, and soon."""

import io
import os
import stat
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from maskwright.errors import InputError
from maskwright.imaging.picture import HARD_MAX_PIXELS
from maskwright.imaging.read import read_picture
from PIL import Image
from privileges import unprivileged
from sample_pictures import exif_block, noise, png, png_chunk, png_of_rows, saved, tiff


def refusal(source: Path | bytes, max_pixels: int = 1_000_000) -> InputError:
    """The error that reading gives; its sentence is one sentence."""
    with pytest.raises(InputError) as failure:
        read_picture(
            source if isinstance(source, Path) else io.BytesIO(source), max_pixels=max_pixels
        )
    sentence = str(failure.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert failure.value.exit_code == 2
    return failure.value


def files() -> dict[str, bytes]:
    rgb = noise(40, 50, 3)
    deep = noise(40, 50, 3, 16)
    return {
        "jpeg": saved(rgb, "JPEG"),
        "progressive": saved(rgb, "JPEG", progressive=True),
        "png": png(rgb),
        "deep-png": png(deep),
        "webp": saved(rgb, "WEBP"),
        "lossless-webp": saved(rgb, "WEBP", lossless=True),
        "bmp": saved(rgb, "BMP"),
        "avif": saved(rgb, "AVIF"),
        "tiff": tiff(rgb, photometric="rgb"),
        "deep-tiff": tiff(deep, photometric="rgb", compression="lzw", predictor=True),
        "tiled-tiff": tiff(deep, photometric="rgb", compression="deflate", tile=(16, 16)),
        "cmyk-tiff": tiff(noise(40, 50, 4), photometric="separated"),
    }


@pytest.mark.parametrize("kind", list(files()))
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_files_are_refused(kind: str, share: float) -> None:
    whole = files()[kind]
    assert refusal(whole[: int(len(whole) * share)]).code == "damaged-photo"


@pytest.mark.parametrize("kind", ["jpeg", "progressive"])
def test_jpeg_without_its_last_hundred_bytes_is_refused(kind: str) -> None:
    assert refusal(files()[kind][:-100]).code == "damaged-photo"


def test_truncated_palette_tiff_is_refused() -> None:
    out = io.BytesIO()
    image = Image.fromarray(noise(40, 50, 1)[..., 0]).convert("P")
    image.save(out, "TIFF", compression="tiff_lzw")
    data = out.getvalue()
    assert refusal(data[:8] + bytes(600) + data[608:]).code == "damaged-photo"


def test_tiff_whose_strips_are_nowhere_is_refused() -> None:
    data = bytearray(tiff(noise(40, 50, 3), photometric="rgb", compression="deflate"))
    at = data.index(struct.pack("<HHI", 273, 4, 1)) + 8
    data[at : at + 4] = bytes(4)
    assert refusal(bytes(data)).code == "damaged-photo"


def test_tiff_with_a_tile_far_larger_than_itself_is_refused() -> None:
    data = tiff(noise(40, 50, 3), photometric="rgb", compression="deflate", tile=(64, 64))
    for tag in (322, 323):
        for kind, code in ((3, "H"), (4, "I")):
            entry = struct.pack("<HHI", tag, kind, 1)
            data = data.replace(
                entry + struct.pack("<" + code, 64), entry + struct.pack("<" + code, 32_752)
            )
    tracemalloc.start()
    try:
        error = refusal(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.code == "damaged-photo"
    assert peak < 8 << 20


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"Dear diary, this is not a photo.\n" * 20,
        b"<html><body>404</body></html>",
        bytes(5000),
        b"\x7fELF" + bytes(200),
    ],
)
def test_what_is_no_photo(data: bytes) -> None:
    assert refusal(data).code == "not-a-photo"


def test_text_called_a_photo(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_text("no picture\n")
    error = refusal(path)
    assert error.code == "not-a-photo"
    assert "holiday.jpg" in str(error)
    assert str(tmp_path) not in str(error)


def test_the_ending_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    samples = noise(4, 4, 3)
    path.write_bytes(png(samples))
    np.testing.assert_array_equal(read_picture(path).pixels, samples)


@pytest.mark.parametrize("head", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"BM"])
@pytest.mark.parametrize("tail", [b"", bytes(100), b"\xff" * 300])
def test_only_the_beginning_of_a_photo(head: bytes, tail: bytes) -> None:
    assert refusal(head + tail).code in ("damaged-photo", "too-large")


@pytest.mark.parametrize(
    "data",
    [
        saved(noise(4, 4, 3), "GIF"),
        b"8BPS" + bytes(60),
        b"%PDF-1.7" + bytes(60),
        b"%!PS-Adobe-3.0 EPSF-3.0" + bytes(60),
        b"gimp xcf v011" + bytes(60),
        b"\xff\x0a" + bytes(60),
        saved(noise(4, 4, 3), "JPEG2000"),
        b"II*\0\x10\0\0\0CR\2\0" + bytes(60),
        b"\0\0\0\x18ftypcrx " + bytes(60),
        b"\0\0\0\x18ftypisom\0\0\2\0isommp42" + bytes(60),
        b"FUJIFILMCCD-RAW " + bytes(60),
    ],
)
def test_pictures_of_other_kinds_are_named(data: bytes) -> None:
    assert refusal(data).code == "unsupported-format"


def test_heic_without_its_library_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    error = refusal(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60))
    assert error.code == "unsupported-format"
    assert "pillow-heif" in str(error)


def test_dng_is_not_taken_for_its_preview() -> None:
    data = tiff(noise(4, 4, 3), photometric="rgb", extratags=[(50706, 1, 4, b"\1\4\0\0", True)])
    assert refusal(data).code == "unsupported-format"


@pytest.mark.parametrize("kind", list(files()))
def test_too_many_pixels_are_refused_before_decoding(kind: str) -> None:
    data = files()[kind]
    error = refusal(data, max_pixels=1999)
    assert error.code == "too-large"
    assert "50 x 40" in str(error)
    assert read_picture(io.BytesIO(data), max_pixels=2000).photo.width == 50


def huge_headers() -> dict[str, bytes]:
    """A few hundred bytes that claim 30000 x 30000 pixels."""
    side = 30_000
    jpeg = bytearray(saved(noise(8, 8, 3), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", side, side)
    tiff_file = tiff(noise(8, 8, 3), photometric="rgb", compression="deflate")
    for tag in (256, 257):
        for kind, code in ((3, "H"), (4, "I")):
            entry = struct.pack("<HHI", tag, kind, 1) + struct.pack("<" + code, 8)
            tiff_file = tiff_file.replace(
                entry, struct.pack("<HHI", tag, kind, 1) + struct.pack("<" + code, side)
            )
    bmp = bytearray(saved(noise(8, 8, 3), "BMP"))
    bmp[18:26] = struct.pack("<ii", side, side)
    webp = b"VP8X\x0a\0\0\0" + bytes(4) + (side - 1).to_bytes(3, "little") * 2
    return {
        "jpeg": bytes(jpeg),
        "png": png_of_rows((side, side), 8, 6, [bytes(100)]),
        "tiff": tiff_file,
        "bmp": bytes(bmp),
        "webp": b"RIFF" + struct.pack("<I", 4 + len(webp)) + b"WEBP" + webp,
    }


@pytest.mark.parametrize("kind", list(huge_headers()))
def test_a_header_that_promises_too_much_costs_no_memory(kind: str) -> None:
    tracemalloc.start()
    try:
        error = refusal(huge_headers()[kind], max_pixels=HARD_MAX_PIXELS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.code == "too-large"
    assert "30000 x 30000" in str(error)
    assert peak < 8 << 20


def test_no_setting_lifts_the_hard_limit() -> None:
    error = refusal(png_of_rows((20_001, 20_000), 8, 0, [b""]), max_pixels=10**12)
    assert error.code == "too-large"
    assert "400 megapixels" in str(error)


def test_a_side_may_have_32767_pixels_and_no_more() -> None:
    row = bytes(32_767)
    assert read_picture(io.BytesIO(png_of_rows((32_767, 1), 8, 0, [row]))).photo.width == 32_767
    assert refusal(png_of_rows((32_768, 1), 8, 0, [row + b"\0"])).code == "too-large"
    tall = png_of_rows((1, 32_768), 8, 0, [b"\0"] * 32_768)
    assert refusal(tall).code == "too-large"


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_no_pixels_at_all(size: tuple[int, int]) -> None:
    assert refusal(png_of_rows(size, 8, 2, [])).code == "damaged-photo"


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_compressed_chunks_that_blow_up_are_not_unpacked(name: bytes) -> None:
    bomb = zlib.compress(bytes(100 << 20))
    data = {
        b"zTXt": b"Comment\0\0" + bomb,
        b"iTXt": b"Comment\0\1\0\0\0" + bomb,
        b"iCCP": b"profile\0\0" + bomb,
    }[name]
    file = png(noise(4, 4, 3), (name, data))
    tracemalloc.start()
    try:
        picture = read_picture(io.BytesIO(file))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert picture.icc is None
    assert peak < 40 << 20


def test_pixels_that_blow_up_are_refused() -> None:
    data = png_of_rows((4, 4), 8, 2, [bytes(12)] * 3)
    assert refusal(data).code == "damaged-photo"
    more = png_of_rows((4, 4), 8, 2, [bytes(12)] * 4 + [bytes(64 << 20)])
    np.testing.assert_array_equal(read_picture(io.BytesIO(more)).pixels, np.zeros((4, 4, 3)))


def test_wrong_checksum_of_the_pixels_is_refused() -> None:
    data = bytearray(png(noise(20, 20, 3)))
    data[data.index(b"IDAT") + 50] ^= 1
    assert refusal(bytes(data)).code == "damaged-photo"


def test_many_damaged_files_wear_nothing_out() -> None:
    data = bytearray(png(noise(20, 20, 3)))
    data[data.index(b"IDAT") + 50] ^= 1
    before = sys.getrefcount(None)
    for _ in range(300):
        refusal(bytes(data))
    assert sys.getrefcount(None) > before - 100


def test_wrong_checksum_of_a_further_chunk_drops_the_chunk() -> None:
    data = bytearray(png(noise(5, 6, 3), (b"eXIf", exif_block(6))))
    data[data.index(b"eXIf") + 6] ^= 1
    picture = read_picture(io.BytesIO(bytes(data)))
    assert picture.exif is None
    assert picture.photo.width == 6


def test_png_whose_header_comes_late_is_refused() -> None:
    data = png(noise(5, 6, 3))
    assert refusal(data[:8] + png_chunk(b"gAMA", b"\0\0\0\1") + data[8:]).code == "damaged-photo"


def test_missing_file(tmp_path: Path) -> None:
    error = refusal(tmp_path / "gone.png")
    assert error.code == "not-found"
    assert "gone.png" in str(error)
    assert refusal(tmp_path / "no" / "folder.png").code == "not-found"
    assert refusal(tmp_path / ("x" * 300)).code == "not-found"
    assert refusal(tmp_path / "nul\0byte").code == "not-found"


def test_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path).code == "not-a-file"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_pipes_and_devices_do_not_hang(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    assert refusal(pipe).code == "not-a-file"
    assert refusal(Path("/dev/zero")).code == "not-a-file"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(png(noise(3, 3, 3)))
    path.chmod(0)
    with unprivileged():
        error = refusal(path)
    assert error.code == "no-permission"
    assert "secret.png" in str(error)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such links")
def test_link_is_followed_and_a_loop_is_not(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(png(noise(3, 3, 3)))
    (tmp_path / "link.png").symlink_to("real.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert read_picture(tmp_path / "link.png").photo.width == 3
    assert refusal(tmp_path / "loop.png").code == "not-found"


def test_endless_stream_ends() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            buffer[:] = bytes(len(buffer))
            return len(buffer)

    with pytest.raises(InputError) as failure:
        read_picture(io.BufferedReader(Endless()), max_pixels=1)
    assert failure.value.code == "too-large"


def test_large_file_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "sparse.png"
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(2 << 30)
    assert refusal(path).code == "too-large"
