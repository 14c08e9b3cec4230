"""Garbage in cycles is looked for less often while modules are imported, and once less at a program's end.

It goes into images, so it's written for their Python, and imports nothing of cannery's, nor anything that a start
doesn't import anyway. Static executables do the same: their launcher has it in importer.py and main.c.
"""

import _frozen_importlib as bootstrap
import _frozen_importlib_external as external
import atexit
import gc
import sys
from _weakref import ReferenceType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SELDOM = 100_000  # objects until the collector runs: most imports make fewer
_Module = type(sys)
_Function: type = type(lambda: 0)
_Builtin: type = type(len)
_most = 0  # modules that there ever were at the end of an import


def _exec_module(self, module):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  # in the place of importlib's
    """Execute the module. What imports make is mostly there to stay: garbage is looked for less often meanwhile.

    It's not forgotten, as there are programs all of which is run while their module is imported. What is alive when
    the outermost import ends goes to the oldest generation, unexamined, or else it would be looked at right after;
    but not after a module that was there before (reload), which would leave garbage unexamined each time.
    """
    global _most
    code = self.get_code(module.__name__)
    if code is None:
        raise ImportError(f"cannot load module {module.__name__!r} when get_code() returns None")
    thresholds = gc.get_threshold()
    changed = 0 < thresholds[0] < _SELDOM
    if changed:
        gc.set_threshold(_SELDOM, *thresholds[1:])
    try:
        bootstrap._call_with_frames_removed(exec, code, module.__dict__)  # type: ignore[attr-defined]
    finally:
        if changed and gc.get_threshold()[0] == _SELDOM:  # or else the module has chosen
            gc.set_threshold(*thresholds)
            if len(sys.modules) > _most and not gc.get_freeze_count():
                _most = len(sys.modules)
                gc.freeze()
                gc.unfreeze()


def _settle() -> None:
    """The last of what runs at exit. Python looks for garbage three times more then, to finalize it.

    Where no object has anything to do at its end, nobody watches, and no thread is left to make another, all are put
    where they are not looked at. From here on importlib is as it was: it would keep this module to the very end.
    """
    external._LoaderBasics.exec_module = _ordinary  # type: ignore[method-assign]
    if gc.callbacks or gc.get_debug() or len(sys._current_frames()) > 1 or _has_foreign_code():
        return
    objects = gc.get_objects()
    kinds = {kind for kind in {*map(type, objects)} if _may_have_work(kind)}
    streams = _standard_streams()
    if not any(_has_work(each) for each in objects if type(each) in kinds and id(each) not in streams):
        gc.freeze()


def _has_foreign_code() -> bool:
    """Whether C that isn't Python's own is loaded, whose objects may do something when they are freed."""
    for name, module in sys.modules.copy().items():
        if name.partition(".")[0] not in sys.stdlib_module_names and isinstance(module, _Module):
            spec = object.__getattribute__(module, "__dict__").get("__spec__")  # loads no lazy one
            if isinstance(getattr(spec, "loader", None), external.ExtensionFileLoader):
                return True
    return False


def _may_have_work(kind: type) -> bool:
    return any("__del__" in base.__dict__ or base is ReferenceType for base in kind.__mro__)


def _has_work(each: object) -> bool:
    """Whether something happens when an object is finalized; what Python's own weak references do then, nobody sees."""
    if not isinstance(each, ReferenceType):
        return True
    callback: Any = each.__callback__  # of whatever kind: typing is not imported
    kind = type(callback)
    if callback is None or kind.__module__ == "weakref":  # weakref.finalize: done, or not to be done at exit
        return False
    if kind is not _Function:
        return kind is not _Builtin or callback.__module__ is not None  # one without a module is a part of C's own
    return (callback.__module__ or "").partition(".")[0] not in sys.stdlib_module_names


def _standard_streams() -> "set[int]":
    """The identities of the standard streams, and of what lies below them."""
    texts = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    buffers = [getattr(text, "buffer", None) for text in texts]
    return {id(each) for each in (*texts, *buffers, *(getattr(buffer, "raw", None) for buffer in buffers))}


# Tracebacks leave out the frames of the import system itself, which they know by the name of its file.
_ordinary = external._LoaderBasics.exec_module
_code = _ordinary.__code__
_exec_module.__code__ = _exec_module.__code__.replace(
    co_filename=_code.co_filename, co_name=_code.co_name, co_qualname=_code.co_qualname
)
external._LoaderBasics.exec_module = _exec_module  # type: ignore[method-assign]
atexit.register(_settle)  # what is registered first is called last
