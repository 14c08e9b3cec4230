"""What an image is made of: a table for people, JSON for programs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.tasks.report.decisions import decisions_as_json

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from cannery.image.layer import Layer
    from cannery.recipes.image import MadeImage

__all__ = ["ImageReport"]


_ENGINE = {
    "loaded": "loaded into {}",
    "present": "already in {}",
    "no client": '{} answers; to load images there: pip install "cannery[docker]"',
}


@dataclass(frozen=True, slots=True)
class ImageReport:
    """A finished build: the image, where it went, and how long that took."""

    made: MadeImage
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; sizes are bytes."""
        app, built, loaded = self.made.app, self.made.built, self.made.loaded
        image, base = built.image, built.base
        return {
            "name": app.name,
            "references": list(app.references),
            "recipe": app.settings.recipe,
            "platform": str(image.platform),
            "digest": str(image.digest),
            "id": str(image.id),
            "base": {"name": base.name, "digest": str(base.digest)} if base else None,
            "archive": str(app.archive),
            "archive_size": app.archive.stat().st_size,
            "engine": {"name": loaded.engine, "state": loaded.state} if loaded else None,
            "size": sum(layer.unpacked_size for layer in image.layers),
            "compressed_size": sum(layer.size for layer in image.layers),
            "layers": [
                {
                    "name": layer.name,
                    "digest": str(layer.digest),
                    "diff_id": str(layer.diff_id),
                    "size": layer.unpacked_size,
                    "compressed_size": layer.size,
                    "files": layer.files,
                    "packed": layer.name in built.packed,
                }
                for layer in image.layers
            ],
            "config": dict(image.config["config"]),
            "seconds": round(self.seconds, 3),
            "notes": list(built.notes),
            "decisions": decisions_as_json(built.decisions),
        }

    def print(self, console: Console, run: str) -> None:
        """Print the report; ``run`` is the command that runs such an image."""
        from rich.markup import escape  # noqa: PLC0415

        app, built, loaded = self.made.app, self.made.built, self.made.loaded
        image = built.image
        console.print(f"[bold]{escape(app.references[0])}[/]  {app.settings.recipe}, {image.platform}")
        console.print(self._table())
        config = image.config["config"]
        console.print(
            f"runs     {escape(shlex.join(config['Entrypoint'] + config.get('Cmd', [])))}  as {config['User']}"
        )
        if built.base:
            console.print(f"base     {escape(built.base.name)}  {built.base.digest}")
        console.print(f"digest   {image.digest}")
        state = "" if self.made.written else "  (unchanged)"
        console.print(f"archive  {escape(shown_path(app.archive))}  {human_size(app.archive.stat().st_size)}{state}")
        if loaded:
            console.print(f"engine   {escape(_ENGINE[loaded.state].format(loaded.engine))}")
        console.print(f"took     {self.seconds:.2f} s")
        for note in built.notes:
            console.print(f"[yellow]note[/]     {escape(note)}")
        console.print(f"\nNext: [bold]{escape(run)}[/]" + escape(" -- [ARGS]"))
        if not loaded:
            console.print(f"  or: docker load -i {escape(shlex.quote(shown_path(app.archive)))}")

    def _table(self) -> Any:
        from rich import box  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table(box=box.SIMPLE, pad_edge=False, show_footer=True)
        built = self.made.built
        layers = built.image.layers
        table.add_column("layer", "together")
        for title, total in zip(("files", "size", "compressed"), _totals(layers), strict=True):
            table.add_column(title, total, justify="right")
        table.add_column("")
        inherited = len(built.base.layers) if built.base else 0
        if inherited:
            count = "1 layer" if inherited == 1 else f"{inherited} layers"
            table.add_row("base", *_totals(layers[:inherited]), f"[dim]{count}[/]")
        for layer in layers[inherited:]:
            state = "packed" if layer.name in built.packed else "[dim]as before[/]"
            table.add_row(layer.name, *_totals((layer,)), state)
        return table


def _totals(layers: tuple[Layer, ...]) -> tuple[str, str, str]:
    """How many files ``layers`` have, and how large they are, unpacked and compressed."""
    size, compressed = (sum(sizes) for sizes in zip(*((each.unpacked_size, each.size) for each in layers), strict=True))
    return f"{sum(each.files for each in layers):,}", human_size(size), human_size(compressed)


def human_size(size: float) -> str:
    """``12.3 MB``; a megabyte is a million bytes, as registries and disks count."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"


def shown_path(path: Path) -> str:
    """``path`` as short as it can be written from here."""
    here = path.__class__.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
