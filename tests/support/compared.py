"""A comparison as it may come out, with numbers as long as they get."""

from __future__ import annotations

from cannery.comparison.asking import Probe
from cannery.comparison.measurement import BuildTimes, Lack, LayerSize, Measurement, Running, Spread, Stored
from cannery.recipes.comparing.compare import REFERENCE, Compared
from cannery.sizes.ownership import Owner
from cannery.sizes.parts import Bytes, ImageSizes, Part

__all__ = ["COMPARED"]

_RUNNING = Running(
    Spread((12.5, 11.25, 13.75)),
    Spread((1_234_500_000, 1_234_600_000, 1_234_700_000)),
    Spread((2_234_500_000, 2_234_600_000, 2_234_700_000)),
    Spread((12_345.0, 11_345.0, 13_345.0)),
)
_FAST = Running(
    Spread((0.1, 0.2, 0.3)),
    Spread((5e6, 5e6, 5e6)),
    Spread((6e6, 6e6, 6e6)),
    Spread((9.0, 9.5, 9.7)),
    rate_is_least=True,
)
_PARTS = (
    Part("runtime", Owner("standard library"), "module", "json.decoder", Bytes(900, 300)),
    Part("app", Owner("app"), "module", "main", Bytes(100, 40)),
)
_SIZES = ImageSizes("web:latest", "linux/amd64", {"runtime": Bytes(900, 300), "app": Bytes(100, 40)}, _PARTS)


def _row(name: str, running: Running, size: int) -> Measurement:
    layers = (LayerSize("runtime", size, size // 3), LayerSize("app", 40_000, 12_000))
    builds = BuildTimes(
        Spread((1.25, 1.5, 1.75)), Spread((101.25, 99.5, 103.0)), 12_345, Spread((205.0,)), reproducible=True
    )
    findings = {"medium": 12, "critical": 101, "low": 3}
    return Measurement(name, "recipe", "cannery 0.1.0", Stored(layers, 12_345, 123), builds, running, findings)


COMPARED = Compared(
    project="web",
    probe=Probe("http://:8000/health?deep=<yes>", port=8000, target="/health?deep=<yes>"),
    rounds=3,
    when="2026-11-27T12:00:00+00:00",
    seconds=272.4,
    machine={"processor": "A & B, 2 cores", "memory": "8 GB"},
    rows=(
        Measurement(REFERENCE, "reference", "a virtual environment", running=_RUNNING),
        _row("scratch", _RUNNING, 1_234_567_890),
        _row("tiny", _FAST, 999_999_999),
        Measurement("static", "recipe", lacks=(Lack("build", "no zig\nwas | found", "install it"),)),
        Measurement(
            "pyinstaller", "peer", "PyInstaller 6", Stored((LayerSize("web", 9_000_000, 8_900_000),), 1, None),
            lacks=(Lack("run", "exit code 1"),),
        ),
    ),
    sizes={"scratch": _SIZES},
)  # fmt: skip
