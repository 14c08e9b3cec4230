"""Scanners find in an image what its bill of materials lists, by each recipe."""

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
from tests.support.judges import judged
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


def bare(purl: str) -> str:
    """A purl without its qualifiers: scanners know less of the architecture, and more of sources."""
    return purl.partition("?")[0]


def test_syft_finds_the_same_by_itself_and_all_of_it_by_the_file(scanned: Scanned) -> None:
    by_itself = {bare(each["purl"]) for each in scanned.syft()}
    own = {bare(item["purl"]) for item in scanned.listed if item["purl"]}
    assert {"pkg:pypi/fire@0.7.1", "pkg:pypi/greeter@1.0.0"} <= own
    assert {item["kind"] for item in scanned.listed} >= {"distribution", "interpreter"}
    # A Python that a package has is that package's; libraries without a version are nothing that a scanner lists.
    packaged = {item["purl"] for item in scanned.listed if item["origin"].startswith("the package ")}
    assert {purl for purl in own - by_itself if "@" in purl} <= packaged
    assert by_itself <= own
    told = scanned.syft("--select-catalogers", "+sbom-cataloger")
    purls = {item["purl"] for item in scanned.listed if item["purl"]}
    assert purls - {each["purl"] for each in told} == set()
    assert {bare(each["purl"]) for each in told} <= own


def test_trivy_finds_distributions_and_packages_with_their_system(scanned: Scanned, tmp_path: Path) -> None:
    words = ("--format", "json", "--list-all-pkgs", "--quiet", "--scanners", "license", "--cache-dir", str(tmp_path))
    report = json.loads(judged("trivy", "image", "--input", str(scanned.archive), *words))
    found = [each for result in report["Results"] for each in result.get("Packages", ())]
    named = {each["Name"] for each in found}
    assert {item["name"] for item in scanned.listed if item["kind"] in {"distribution", "package"}} <= named
    if any(item["kind"] == "package" for item in scanned.listed):
        assert report["Metadata"]["OS"]["Family"] in {"debian", "ubuntu"}
