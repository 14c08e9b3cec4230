import os
import pathlib
import sys
import tempfile

import pytest

with tempfile.TemporaryDirectory() as folder:
    test = pathlib.Path(folder, "test_it.py")
    test.write_text(
        "import pytest\n"
        "@pytest.fixture\ndef three(): return 3\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_sum(three, n, tmp_path, capsys): assert three + n > 3\n"
        "def test_wrong(): assert [1, 2] == [1, 3]\n"
    )
    sys.path.insert(0, folder)
    os.chdir(folder)  # places of errors are shown relative to where it starts
    code = pytest.main(["-q", "-p", "no:cacheprovider", "--no-header", folder])
    print(int(code))
