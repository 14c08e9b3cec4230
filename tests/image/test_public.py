"""What others may import of this room, and what that costs."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cannery.image
import cannery.image.media
from cannery.image.image import Image
from cannery.image.media.layout import Layout
from tests.support.layers import file, layer
from tests.support.layouts import layout

if TYPE_CHECKING:
    from tests.support.registry import Registry

pytestmark = pytest.mark.once

PUBLIC = {
    "cannery.image": {
        *("Tree", "File", "Directory", "Symlink", "Inline", "OnDisk"),
        *("Layer", "Image", "ImageIndex", "Base", "Platform", "Digest", "Blobs", "Cache"),
        *("pack", "assemble", "pull", "unpack"),
    },
    "cannery.image.media": {"Archive", "DockerArchive", "Layout", "Medium", "Registry", "WritableMedium"},
}


@pytest.mark.parametrize("name", PUBLIC)
def test_each_name_is_what_its_module_calls_so(name: str) -> None:
    module = importlib.import_module(name)
    assert set(module.__all__) == PUBLIC[name]
    assert PUBLIC[name] <= set(dir(module))
    for each in PUBLIC[name]:
        assert getattr(module, each).__name__ == each
    with pytest.raises(AttributeError, match="has no attribute 'push'"):
        _ = module.push


def test_the_example_does_what_it_says() -> None:
    done = doctest.testmod(cannery.image, raise_on_error=False)
    assert (done.failed, done.attempted > 10) == (0, True)


@pytest.mark.parametrize(
    ("statement", "alone"),
    [
        ("import cannery.image", {"cannery.image"}),
        ("from cannery.image import Tree", {"cannery.image", "cannery.image.tree"}),
        ("from cannery.image.media import Medium", {"cannery.image.media.medium", "cannery.image.media_types"}),
    ],
)
def test_who_needs_one_name_does_not_wait_for_the_rest(statement: str, alone: set[str]) -> None:
    program = f"{statement}; import sys; print(*(name for name in sys.modules if name.startswith('cannery.image')))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) - {"cannery.image", "cannery.image.media"} == alone - {"cannery.image"}


def test_the_documentation_s_examples_do_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: Registry
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "image.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    layout(tmp_path / "base", [layer(tmp_path, file("base"))], platform={"os": "linux", "architecture": "arm64"})
    reference = registry.push(tmp_path / "base", "base", "team/documented:1")
    names: dict[str, object] = {}
    exec(first, names)  # noqa: S102  # our own
    exec(second.replace("python:3.11-slim", reference), names)  # noqa: S102
    assert (tmp_path / "hello.tar").is_file()
    made = names["image"]
    assert isinstance(made, Image)
    assert [each.name for each in made.layers] == ["base-1", "app"]
    assert Layout(tmp_path / "layout", "hello:1").root() == made.manifest_blob


def test_the_documentation_names_all_that_is_public() -> None:
    page = (Path(__file__).parents[2] / "docs" / "image.md").read_text(encoding="utf-8")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    assert PUBLIC["cannery.image"] | (PUBLIC["cannery.image.media"] - {"Medium", "WritableMedium"}) <= words
