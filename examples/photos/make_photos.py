"""Makes a small folder of pictures, a folder per class, to try the example without your own.

    python examples/photos/make_photos.py [FOLDER]

Discs, squares and stripes of random size, place and colour on noise: 40 of each.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CLASS_NAMES = ("disc", "square", "stripes")
IMAGES_PER_CLASS = 40
SIDE_PIXELS = 48


def make_photos(folder: Path) -> None:
    generator = np.random.default_rng(0)
    for name in CLASS_NAMES:
        (folder / name).mkdir(parents=True)
        for number in range(IMAGES_PER_CLASS):
            draw_photo(name, generator).save(folder / name / f"{number:02d}.png")


def draw_photo(name: str, generator: np.random.Generator) -> Image.Image:
    noise_HWC = generator.integers(0, 120, (SIDE_PIXELS, SIDE_PIXELS, 3), dtype=np.uint8)
    photo = Image.fromarray(noise_HWC)
    pen = ImageDraw.Draw(photo)
    size = int(generator.integers(SIDE_PIXELS // 4, SIDE_PIXELS // 2))
    left, top = (int(n) for n in generator.integers(0, SIDE_PIXELS - size, 2))
    red, green, blue = (int(n) for n in generator.integers(120, 256, 3))
    box, colour = (left, top, left + size, top + size), (red, green, blue)
    match name:
        case "disc":
            pen.ellipse(box, fill=colour)
        case "square":
            pen.rectangle(box, fill=colour)
        case "stripes":
            for x in range(left, left + size, 4):
                pen.line((x, top, x, top + size), fill=colour, width=2)
    return photo


if __name__ == "__main__":
    make_photos(Path(sys.argv[1] if len(sys.argv) > 1 else "photos"))
