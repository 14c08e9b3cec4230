import io
import zipfile

import zipp

stream = io.BytesIO()
with zipfile.ZipFile(stream, "w") as archive:
    archive.writestr("a/b.txt", "text")
    archive.writestr("a/c/d.txt", "more")
root = zipp.Path(zipfile.ZipFile(stream))
print(sorted(str(each.at) for each in (root / "a").iterdir()), (root / "a/b.txt").read_text(encoding="utf-8"))
print(sorted(each.at for each in root.glob("**/*.txt")), (root / "no").exists())
