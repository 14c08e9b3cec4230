"""Scanners find in an image what its bill of material lists, by each recipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.base_images import base
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.once, pytest.mark.slow]

SYFT = Path(sys.executable).with_name("syft")
GREETER = ROOT / "examples" / "greeter"


@dataclass(frozen=True)
class Scanned:
    """An image that was built and written as an archive, and what scanners say of it."""

    archive: Path
    environment: Mapping[str, str]

    def syft(self, *arguments: str) -> list[dict[str, Any]]:
        command = [str(SYFT), "scan", f"docker-archive:{self.archive}", "--quiet", "--output", "json", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        found: list[dict[str, Any]] = json.loads(done.stdout)["artifacts"]
        return found

    @cached_property
    def listed(self) -> list[dict[str, Any]]:
        """The items of ``invoke sbom``, which reads the archive as anybody else's."""
        words = ["sbom", "--engine", "none", "--image", str(self.archive), "--json"]
        command = [sys.executable, "-m", "cannery", *words]
        done = subprocess.run(
            command, cwd=GREETER, env=self.environment, capture_output=True, text=True, check=True
        )  # fmt: skip
        found: list[dict[str, Any]] = json.loads(done.stdout)["items"]
        return found

    def of_kind(self, kind: str) -> set[tuple[str, str]]:
        return {(item["name"], item["version"]) for item in self.listed if item["kind"] == kind}


@pytest.fixture(params=["scratch", "tiny", "onefile", "static", "slim"])
def scanned(request: pytest.FixtureRequest, tmp_path: Path, shared_cache: Path, kit: Path) -> Scanned:
    recipe: str = request.param
    environment = {**os.environ, "CANNERY_CACHE": str(shared_cache), "CANNERY_KIT": str(kit)}
    environment["SYFT_CHECK_FOR_APP_UPDATE"] = "false"
    if recipe == "slim":
        environment["CANNERY_BASE"] = base(tmp_path / "base")
    archive = tmp_path / "greeter.tar"
    words = ["image", "--recipe", recipe, "--engine", "none", "--output", str(archive)]
    command = [sys.executable, "-m", "cannery", *words]
    subprocess.run(command, cwd=GREETER, env=environment, capture_output=True, check=True)
    return Scanned(archive, environment)


def test_syft_finds_the_same_by_itself_and_all_of_it_by_the_file(scanned: Scanned) -> None:
    by_itself = {(each["type"], each["name"].lower(), each["version"]) for each in scanned.syft()}
    own = {("python", *each) for each in scanned.of_kind("distribution")}
    assert {"fire", "greeter", "termcolor"} <= {name for _, name, _ in own}
    packages = {("deb", *each) for each in scanned.of_kind("package")}
    found_in_files = {each for each in by_itself if each[0] in {"python", "deb"}}
    assert found_in_files == own | packages
    told = scanned.syft("--select-catalogers", "+sbom-cataloger")
    purls = {item["purl"] for item in scanned.listed}
    assert {item["purl"] for item in scanned.listed if item["purl"]} - {each["purl"] for each in told} == set()
    assert {each["purl"].partition("?")[0] for each in told} <= {purl.partition("?")[0] for purl in purls}
