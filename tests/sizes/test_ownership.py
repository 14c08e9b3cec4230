"""Files of images have owners, and names by which people know them."""

from __future__ import annotations

import pytest

from cannery.sizes.layer_files import LayerFile
from cannery.sizes.ownership import Ownership

pytestmark = pytest.mark.once

SITE = "/usr/local/lib/python3.11/site-packages"
LISTS = {
    "six-1.17.0.dist-info/RECORD": "six.py,sha256=x,1\n__pycache__/six.cpython-311.pyc,,\n../../../bin/six,,\n",
    "PyYAML-6.0.3.dist-info/top_level.txt": "_yaml\nyaml\n",
    "numpy-2.4.0.dist-info/METADATA": "",
    "protobuf-6.0.dist-info/top_level.txt": "google\n",
    "googleapis_common_protos-1.7.dist-info/top_level.txt": "google\n",
    "odd-1.dist-info/RECORD": '"unended\0',
}


@pytest.fixture(scope="module")
def owners() -> Ownership:
    lists = [LayerFile(f"{SITE}/{path}", 1, 1, text) for path, text in LISTS.items()]
    packaged = "/.\n/lib/x86_64-linux-gnu/libtin.so.2\n/usr/bin/tin\n"
    return Ownership([*lists, LayerFile("/var/lib/dpkg/info/libtin2:amd64.list", 1, 1, packaged)], "/app")


@pytest.mark.parametrize(
    ("path", "owner", "kind", "name"),
    [
        (f"{SITE}/six.pyc", "six 1.17.0", "module", "six"),
        (f"{SITE}/packages.zip/yaml/__init__.pyc", "pyyaml 6.0.3", "module", "yaml"),
        (f"{SITE}/yaml/_yaml.cpython-311-x86_64-linux-gnu.so", "pyyaml 6.0.3", "extension module", "yaml._yaml"),
        (f"{SITE}/yaml/__pycache__/nodes.cpython-311.pyc", "pyyaml 6.0.3", "module", "yaml.nodes"),
        (f"{SITE}/PyYAML-6.0.3.dist-info/METADATA", "pyyaml 6.0.3", "metadata", "PyYAML-6.0.3.dist-info/METADATA"),
        (f"{SITE}/numpy/core.py", "numpy 2.4.0", "module", "numpy.core"),
        (f"{SITE}/numpy/data/a-b.py", "numpy 2.4.0", "data", "numpy/data/a-b.py"),
        (f"{SITE}/numpy.libs/libgfortran-8a9.so.5.0.0", "numpy 2.4.0", "shared library", "libgfortran-8a9.so.5.0.0"),
        (f"{SITE}/google/rpc.pyc", "google (googleapis-common-protos, protobuf)", "module", "google.rpc"),
        (f"{SITE}/unknown/x.txt", "unknown", "data", "unknown/x.txt"),
        ("/usr/lib/python3/dist-packages/apt/cache.py", "apt", "module", "apt.cache"),
        ("/usr/local/lib/python3.11/json/__init__.pyc", "standard library", "module", "json"),
        ("/usr/local/lib/python311.zip/json/tool.pyc", "standard library", "module", "json.tool"),
        ("/usr/local/lib/python311.zip", "standard library", "data", "python311.zip"),
        ("/usr/local/lib/python3.13t/lib-dynload/_ssl.cpython-313t.so", "standard library", "extension module", "_ssl"),
        ("/usr/local/lib/libpython3.11.so.1.0", "interpreter", "shared library", "libpython3.11.so.1.0"),
        ("/usr/local/bin/python3.11", "interpreter", "data", "python3.11"),
        ("/lib/x86_64-linux-gnu/libc.so.6", "system libraries", "shared library", "libc.so.6"),
        ("/usr/lib/x86_64-linux-gnu/libtin.so.2", "libtin2 (Debian)", "shared library", "libtin.so.2"),
        ("/bin/tin", "libtin2 (Debian)", "data", "/bin/tin"),
        ("/etc/passwd", "system files", "data", "/etc/passwd"),
        ("/app/shop/__main__.pyc", "app", "module", "shop.__main__"),
        ("/app/templates/index.html", "app", "data", "templates/index.html"),
    ],
)
def test_a_file_is_somebody_s(owners: Ownership, path: str, owner: str, kind: str, name: str) -> None:
    thing = owners.thing(path)
    assert (str(thing.owner), thing.kind, thing.name) == (owner, kind, name)
