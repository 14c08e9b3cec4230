import io

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps, features

image = Image.new("RGB", (64, 48), "navy")
draw = ImageDraw.Draw(image)
draw.ellipse((8, 8, 40, 40), fill="orange", outline="white")
draw.text((2, 2), "hello", font=ImageFont.load_default(), fill="white")
for form in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "ICO", "PDF"):
    stream = io.BytesIO()
    image.save(stream, form)
    if form != "PDF":
        opened = Image.open(io.BytesIO(stream.getvalue()))
        opened.load()
        print(form, opened.format, opened.size, opened.mode)
    else:
        print(form, stream.getvalue()[:5])
print(ImageOps.invert(image.resize((8, 6)).filter(ImageFilter.GaussianBlur(1))).getpixel((1, 1)))
print(sorted(name for name in ("jpg", "zlib", "freetype2", "webp") if features.check(name)))
