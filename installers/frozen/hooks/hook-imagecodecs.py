"""Of some fifty codecs those that `maskwright.imaging` asks for, by itself or through tifffile.

They are imported by name, when one is used. What a TIFF needs: LZW, PackBits, predictors and bit
orders (imcd), deflate (zlib, deflate), LZMA, Zstandard.
"""

_CODECS = ("cms", "deflate", "imcd", "lzma", "png", "zlib", "zstd")

hiddenimports = [f"imagecodecs._{name}" for name in (*_CODECS, "shared", "shared_cython")]
