"""The Invoke tasks: all that a project's ``tasks.py`` needs is ``from cannery.tasks import namespace``.

Importing this is quick on purpose: a task imports what it needs when it runs.
"""

from invoke.collection import Collection

from cannery.tasks.audit import audit
from cannery.tasks.check import check
from cannery.tasks.compare import compare
from cannery.tasks.config import config
from cannery.tasks.cythonize import cythonize
from cannery.tasks.diff import diff
from cannery.tasks.dockerfile import dockerfile
from cannery.tasks.explore import explore
from cannery.tasks.freeze import freeze
from cannery.tasks.image import image
from cannery.tasks.imports import imports
from cannery.tasks.kit import kit
from cannery.tasks.listings import images, ps
from cannery.tasks.lock import lock
from cannery.tasks.prune import prune
from cannery.tasks.push import push
from cannery.tasks.registry_check import registry_check
from cannery.tasks.resolve import resolve
from cannery.tasks.run import run
from cannery.tasks.sbom import sbom
from cannery.tasks.sizes import sizes
from cannery.tasks.verify import verify
from cannery.tasks.vex import vex
from cannery.tasks.watch import watch

__all__ = ["namespace"]

namespace = Collection(
    image, run, watch, push, registry_check, resolve, lock, check, explore, freeze, dockerfile, ps, images,
    prune, audit, sizes, sbom, vex, diff, compare, verify, config, cythonize, imports, kit,
)  # fmt: skip
