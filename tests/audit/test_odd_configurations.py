"""Configurations with fields of any type: they are read as far as they can be, and never end in a traceback."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannery.audit.archives import read_archive
from cannery.audit.choice import choose
from cannery.audit.rules import check
from cannery.errors import ImageError
from tests.support.bad_images import START, audited, docker_archive, file, layer, oci_files, tar_of

pytestmark = pytest.mark.once

LAYER = layer(file("app/a.pyc"))
FIELDS = (
    "User", "Env", "Entrypoint", "Cmd", "WorkingDir", "Labels", "Healthcheck", "OnBuild", "Shell", "Volumes",
    "ExposedPorts", "StopSignal",
)  # fmt: skip
SIMPLE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
ANYTHING = st.recursive(
    SIMPLE, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3)
)


def findings(archive: bytes) -> int:
    return len(check(choose(read_archive(io.BytesIO(archive), "odd.tar"))))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING), ANYTHING)
def test_whatever_the_fields_hold_there_is_a_report(start: dict[str, Any], history: object) -> None:
    assert findings(docker_archive([LAYER], start, history=history))


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_whatever_the_documents_hold_there_is_a_report_or_one_message(
    start: Any, architecture: object, system: object, rootfs: object
) -> None:
    config = {"config": start, "architecture": architecture, "os": system, "rootfs": rootfs, "history": start}
    manifest = [{"Config": "c.json", "RepoTags": None, "Layers": ["0.tar"]}]
    files = {"c.json": json.dumps(config).encode(), "0.tar": LAYER, "manifest.json": json.dumps(manifest).encode()}
    try:
        assert findings(tar_of(files))
    except ImageError as error:
        assert error.what  # noqa: PT017


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(ANYTHING, st.sampled_from(["config", "layers", "mediaType"]))
def test_whatever_a_manifest_holds_there_is_a_report_or_one_message(value: object, name: str) -> None:
    files = oci_files([LAYER])
    index = json.loads(files["index.json"])
    old = index["manifests"][0]["digest"].partition(":")[2]
    manifest = json.dumps({**json.loads(files.pop(f"blobs/sha256/{old}")), name: value}).encode()
    index["manifests"][0] |= _blob(files, manifest)
    changed = {**files, "index.json": json.dumps(index).encode()}
    try:
        findings(tar_of(changed))
    except ImageError as error:
        assert error.what  # noqa: PT017


@pytest.mark.parametrize(
    "start",
    [None, {}, {"User": None}, {"User": 0}, {"Env": None}, {"Env": "PATH=/bin"}, {"Env": [None, 1, "A"]}, {"Cmd": "x"},
     {"Labels": ["a"]}, {"Healthcheck": []}, {"Healthcheck": {"Test": "x"}}, {"OnBuild": {"a": 1}}, {"WorkingDir": 5}],
    ids=repr,
)  # fmt: skip
def test_a_field_of_another_type_is_none(start: dict[str, Any] | None) -> None:
    assert "CAN601" in audited(LAYER, start=start)  # type: ignore[arg-type]


def test_a_number_for_a_user_is_that_user() -> None:
    assert "CAN601" not in audited(LAYER, start={**START, "User": 1000})


def test_a_configuration_that_is_no_object_is_refused_in_one_message() -> None:
    files = oci_files([LAYER])
    index = json.loads(files["index.json"])
    manifest = json.loads(files.pop(f"blobs/sha256/{index['manifests'][0]['digest'].partition(':')[2]}"))
    manifest["config"] = _blob(files, b"[1]")
    index["manifests"][0] |= _blob(files, json.dumps(manifest).encode())
    with pytest.raises(ImageError, match="is no JSON object"):
        findings(tar_of({**files, "index.json": json.dumps(index).encode()}))


def _blob(files: dict[str, bytes], data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    files[f"blobs/sha256/{digest}"] = data
    return {"digest": f"sha256:{digest}", "size": len(data)}
