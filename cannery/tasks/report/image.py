"""The report of an image: its layers in a table, where it went, and what to do next."""

from __future__ import annotations

import shlex
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from cannery.tasks.report.decisions import decision_lines, decisions_as_json
from cannery.tasks.report.found import commands_as_json, found_as_json, found_lines
from cannery.tasks.report.text import Column, human_size, ruled, shown_path, styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.containers.load import Loaded
    from cannery.elf.components import Component
    from cannery.image.layer import Layer
    from cannery.recipes.image import MadeImage
    from cannery.recipes.plan import Built
    from cannery.tasks.report.check import CheckReport

__all__ = ["ImageReport"]


class ImageReport(msgspec.Struct, frozen=True):
    """An image that was made, its places, and how long that took."""

    made: MadeImage
    seconds: float
    components: tuple[tuple[Component, ...], ...]  # of each image: what is in it that is known by its version
    run: str = ""  # the command that runs such an image
    explain: bool = False  # with the decisions on files
    check: CheckReport | None = None  # where it was checked

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; sizes are bytes."""
        app, loaded, each = self.made.app, self.made.loaded, self.made.each
        images = [
            {**_image_as_json(built), "components": [{"name": one.name, "version": one.version} for one in components]}
            for built, components in zip(each, self.components, strict=True)
        ]
        return {
            "name": app.name,
            "references": list(app.references),
            "recipe": app.settings.recipe,
            "digest": str(self.made.image.digest),
            "archive": str(app.archive),
            "archive_size": app.archive.stat().st_size,
            "engine": {"name": loaded.engine, "state": loaded.state} if loaded else None,
            **(images[0] if len(images) == 1 else {"platforms": images}),
            "found": found_as_json(app.found),
            "commands": commands_as_json(app),
            "seconds": round(self.seconds, 3),
            "notes": list(self.made.notes),
            "check": self.check.as_json() if self.check else None,
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text."""
        app, loaded, each = self.made.app, self.made.loaded, self.made.each
        archive = shown_path(app.archive)
        config = self.made.built.image.config["config"]
        platforms = ", ".join(str(built.image.platform) for built in each)
        yield f"{styled(app.references[0], 'bold')}  {app.settings.recipe}, {platforms}"
        for built in each:
            yield from _table(built)
            if len(each) > 1:
                yield f"{built.image.platform}  {built.image.digest}"
        yield f"runs     {shlex.join(config['Entrypoint'] + config.get('Cmd', []))}  as {config['User']}"
        if app.commands:
            yield f"commands {', '.join(commands_as_json(app))}"
        yield from found_lines(app.found)
        if has := dict.fromkeys(map(str, chain.from_iterable(self.components))):
            yield f"has      {', '.join(has)}"
        bases = dict.fromkeys((built.base.name, built.base.digest) for built in each if built.base)
        yield from (f"base     {name}  {digest}" for name, digest in bases)
        yield f"digest   {self.made.image.digest}"
        unchanged = "" if self.made.written else "  (unchanged)"
        yield f"archive  {archive}  {human_size(app.archive.stat().st_size)}{unchanged}"
        if loaded:
            yield f"engine   {_loaded(loaded)}"
        yield f"took     {self.seconds:.2f} s"
        yield from (f"{styled('note', 'yellow')}     {note}" for note in self.made.notes)
        if self.check:
            yield from ("", *self.check.lines())
        yield f"\nNext: {styled(self.run, 'bold')} -- [ARGS]"
        if not loaded:
            yield f"  or: docker load -i {shlex.quote(archive)}"
        if self.explain:
            yield from decision_lines(tuple(decision for built in each for decision in built.decisions))


def _table(built: Built) -> Iterator[str]:
    """The layers of one image."""
    layers, inherited = built.image.layers, len(built.base.layers) if built.base else 0
    rows = []
    if inherited:
        count = "1 layer" if inherited == 1 else f"{inherited} layers"
        rows.append(("base", *_totals(layers[:inherited]), styled(count, "dim")))
    for layer in layers[inherited:]:
        state = "packed" if layer.name in built.packed else styled("as before", "dim")
        rows.append((layer.name, *_totals((layer,)), state))
    files, size, compressed = _totals(layers)
    numbers = (
        Column("files", files, right=True), Column("size", size, right=True),
        Column("compressed", compressed, right=True),
    )  # fmt: skip
    return ruled((Column("layer", "together"), *numbers, Column("")), rows)


def _image_as_json(built: Built) -> dict[str, Any]:
    """The part of a report that is about the image for one platform."""
    image, base = built.image, built.base
    return {
        "platform": str(image.platform),
        "digest": str(image.digest),
        "id": str(image.id),
        "base": {"name": base.name, "digest": str(base.digest)} if base else None,
        "size": sum(layer.unpacked_size for layer in image.layers),
        "compressed_size": sum(layer.size for layer in image.layers),
        "layers": [_layer_as_json(layer, packed=layer.name in built.packed) for layer in image.layers],
        "config": dict(image.config["config"]),
        "decisions": decisions_as_json(built.decisions),
    }


def _layer_as_json(layer: Layer, *, packed: bool) -> dict[str, Any]:
    return {
        "name": layer.name,
        "digest": str(layer.digest),
        "diff_id": str(layer.diff_id),
        "size": layer.unpacked_size,
        "compressed_size": layer.size,
        "files": layer.files,
        "packed": packed,
    }


def _totals(layers: tuple[Layer, ...]) -> tuple[str, str, str]:
    """The number of files in ``layers``, and their sizes, unpacked and compressed."""
    size, compressed = (sum(sizes) for sizes in zip(*((each.unpacked_size, each.size) for each in layers), strict=True))
    return f"{sum(each.files for each in layers):,}", human_size(size), human_size(compressed)


def _loaded(loaded: Loaded) -> str:
    if loaded.state == "no client":
        from cannery.workspace.extras import installing  # noqa: PLC0415  # seldom needed

        return f"{loaded.engine} answers; to load images there: {installing('docker')}"
    return f"{'loaded into' if loaded.state == 'loaded' else 'already in'} {loaded.engine}"
