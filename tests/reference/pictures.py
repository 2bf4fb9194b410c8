"""Pictures of every kind, made by Pillow: fixtures of tests/inference/read_picture_test.ts.

    python3 tests/reference/pictures.py

writes to tests/fixtures/pictures/ one scene of 40×24 pixels, no two of its corners alike, as PNG and
JPEG of every kind, and expected.json with Pillow's own grey values of each, 0..255, upright and laid on
black where it is transparent.

Needs Pillow and numpy. Made with Pillow 13.0.0.
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

OUT = Path(__file__).parent.parent / "fixtures" / "pictures"
WIDTH, HEIGHT = 40, 24


def scene():
    """RGB: soft colours, with a dark corner at the upper left and a light one at the lower right."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    red = 60 + 150 * x / WIDTH
    green = 90 + 120 * y / HEIGHT
    blue = 200 - 100 * (x + y) / (WIDTH + HEIGHT)
    rgb = np.stack([red, green, blue], axis=-1)
    rgb[:8, :8] = 10
    rgb[-6:, -10:] = 245
    return Image.fromarray(rgb.astype(np.uint8))


def turned(image, orientation):
    """What a camera stores that was held so: the inverse of what EXIF says is to be done."""
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return image.transpose(inverse[orientation])


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def filtered(row, above, kind):
    """A row of bytes behind the number of its filter, for pixels of a byte or less."""
    result = [kind]
    for i, value in enumerate(row):
        left, up, corner = (row[i - 1] if i else 0), above[i], (above[i - 1] if i else 0)
        guess = left + up - corner
        paeth = min([left, up, corner], key=lambda byte: abs(guess - byte))
        taken = [0, left, up, (left + up) // 2, paeth][kind]
        result.append((value - taken) % 256)
    return bytes(result)


def save_interlaced(path, values, depth, palette=None):
    """Writes values of so many bits with Adam7, which Pillow reads but does not write."""
    data = b""
    for left, top, right, down in ADAM7:
        part = values[top::down, left::right]
        bits = np.unpackbits(part.astype(np.uint8)[..., None], axis=-1)[..., -depth:]
        rows = np.packbits(bits.reshape(len(part), -1), axis=-1).tolist()
        for i, row in enumerate(rows):
            data += filtered(row, rows[i - 1] if i else [0] * len(row), i % 5)
    height, width = values.shape
    header = struct.pack(">IIBBBBB", width, height, depth, 0 if palette is None else 3, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    if palette is not None:
        chunks.insert(1, (b"PLTE", bytes(palette)))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, content in chunks:
            crc = zlib.crc32(kind + content)
            file.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc))


def grey(path):
    """Pillow's grey values, upright, on black as the scene is light."""
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I"):
        return (np.array(image).astype(float) / 257).round().astype(int)
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        behind = Image.new("RGBA", image.size, "black")
        image = Image.alpha_composite(behind, image)
    return np.array(image.convert("RGB").convert("L")).astype(int)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    rgb = scene()
    plain = rgb.convert("L")
    alpha = Image.fromarray((255 * np.linspace(0, 1, WIDTH)[None].repeat(HEIGHT, 0)).astype(np.uint8))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    wide = Image.fromarray((np.array(plain).astype(np.uint16) * 257))
    plain.save(OUT / "grey.png")
    wide.save(OUT / "grey16.png")
    plain.convert("1").save(OUT / "bit.png")
    rgb.save(OUT / "rgb.png")
    rgba.save(OUT / "rgba.png")
    rgba.convert("LA").save(OUT / "grey_alpha.png")
    rgb.quantize(16).save(OUT / "palette4.png", bits=4)
    rgb.quantize(200).save(OUT / "palette8.png")
    rgb.quantize(16).save(OUT / "palette_alpha.png", transparency=bytes(range(255, 0, -16)))
    for depth in (1, 2, 4):
        shades = np.array(plain) >> (8 - depth)
        save_interlaced(OUT / f"interlaced{depth}.png", shades, depth)
        colours = rgb.quantize(2**depth)
        palette = colours.getpalette()[: 3 * 2**depth]
        save_interlaced(OUT / f"interlaced_palette{depth}.png", np.array(colours), depth, palette)
    rgb.save(OUT / "baseline.jpg", quality=92)
    rgb.save(OUT / "rgb.jpg", quality=92, keep_rgb=True)
    rgb.save(OUT / "progressive.jpg", quality=92, progressive=True)
    plain.save(OUT / "grey.jpg", quality=92)
    rgb.convert("CMYK").save(OUT / "cmyk.jpg", quality=92)
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned(rgb, orientation).save(OUT / f"exif{orientation}.jpg", quality=92, exif=exif)
        # Cameras write either order of bytes.
        exif.endian = "<>"[orientation % 2]
        turned(rgb, orientation).save(OUT / f"exif{orientation}.png", exif=exif)
    frames = [rgb, plain.convert("RGB")]
    for name in ["animation.gif", "animation.png", "animation.webp"]:
        frames[0].save(OUT / name, save_all=True, append_images=frames[1:])
    expected = {
        path.name: grey(path).ravel().tolist()
        for path in sorted(OUT.iterdir())
        if path.suffix in (".png", ".jpg") and "animation" not in path.name
    }
    (OUT / "expected.json").write_text(json.dumps({"pictures": expected}) + "\n")


main()
