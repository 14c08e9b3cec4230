"""Make thumbnails: thumbnails.py [FORMAT ...]"""
import argparse
import io
from pathlib import Path

from PIL import Image, ImageDraw

LOGO = Path(__file__).parent / "assets" / "logo.ppm"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", default=["PNG", "JPEG", "WEBP", "GIF"])
    image = Image.open(LOGO).resize((64, 64))
    ImageDraw.Draw(image).text((2, 2), "logo")
    for form in parser.parse_args().formats:
        stream = io.BytesIO()
        image.save(stream, form)
        print(form, Image.open(io.BytesIO(stream.getvalue())).size)


if __name__ == "__main__":
    main()
