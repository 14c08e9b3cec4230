from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import sys_tags
from packaging.version import Version

print(sorted(map(Version, ["1.0", "1.0rc1", "1!0.1", "1.0.post1"])))
print(Version("2.4") in SpecifierSet(">=2,<3,!=2.5"))
print(Requirement("a[b,c]>=1; python_version > '3'").extras == {"b", "c"}, Marker("os_name == 'posix'").evaluate())
print(next(sys_tags()).interpreter)
