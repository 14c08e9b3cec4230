"""Finds modules in the executable that this is part of.

Every file keeps the path that it would have in an image with an ordinary Python; no disk is asked for it. This module
is frozen: it's imported before anything else can be.
"""

import _frozen_importlib as bootstrap
import _frozen_importlib_external as external
import atexit
import gc
import marshal
import sys

import _cannery

# name: (path, whether it's a package, offset, size); path: (offset, size); what else the link has to say
modules, files, facts = marshal.loads(_cannery.read(_cannery.INDEX, _cannery.INDEX_SIZE))
MAIN, SEARCH_PATH, LEFT_OUT = facts["main"], facts["path"], facts["left_out"]
COMMANDS, GIVEN = facts["commands"], facts["given"]
UNREACHED = frozenset(facts["unreached"])

_SELDOM = 100_000  # objects until the collector runs: most imports make fewer
_most = 0  # modules that there ever were at the end of an import

_folders = {path.rpartition("/")[0] for path, *_ in modules.values()} | {path.rpartition("/")[0] for path in files}


class Loader(external._LoaderBasics):
    """Loads modules, and the data beside them."""

    def is_package(self, name):
        return modules[name][1]

    def get_code(self, name):
        _, _, offset, size = modules[name]
        return marshal.loads(_cannery.read(offset, size)) if size else None

    def exec_module(self, module):
        """Run a module's code. What imports make is mostly there to stay: garbage is looked for less often meanwhile.

        It's not forgotten, as there are programs all of which is run while their module is imported. What is alive when
        the outermost import ends goes to the oldest generation, unexamined, or else it would be looked at right after;
        but not after a module that was there before (reload), which would leave garbage unexamined each time. The
        recipes with an ordinary Python have the same rules, in trees/payload/collecting.py.
        """
        global _most
        thresholds = gc.get_threshold()
        outermost = thresholds[0] != _SELDOM
        changed = 0 < thresholds[0] < _SELDOM
        if changed:
            gc.set_threshold(_SELDOM, *thresholds[1:])
        try:
            bootstrap._call_with_frames_removed(exec, self.get_code(module.__name__), module.__dict__)
        finally:
            if changed and gc.get_threshold()[0] == _SELDOM:  # or else the module has chosen
                gc.set_threshold(*thresholds)
                if len(sys.modules) > _most and not gc.get_freeze_count():
                    _most = len(sys.modules)
                    gc.freeze()
                    gc.unfreeze()
            if outermost:
                _cannery.release()

    def get_source(self, name):
        if name not in modules:
            raise ImportError(f"no module {name!r} in the executable", name=name)

    def get_filename(self, name):
        return modules[name][0]

    def get_data(self, path):
        if path not in files:
            raise FileNotFoundError(2, "no such file in the executable", path)
        return bytes(_cannery.read(*files[path]))

    def get_resource_reader(self, name):
        from _cannery_resources import Reader

        return Reader(modules[name][0].rpartition("/")[0])


# Tracebacks leave out the frames of the import system itself, which they know by the name of its file.
_code = Loader.exec_module.__code__.replace(co_filename="<frozen importlib._bootstrap_external>")
Loader.exec_module.__code__ = _code
loader = Loader()


class Finder:
    """On ``sys.meta_path``: every module in the executable, by name."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in modules:
            return spec_of(name)
        package = name.removesuffix(".__init__")
        if package != name and package in modules:  # from .__init__ import x, which runs the package's module again
            file, _, offset, size = modules[package]
            modules[name] = (file, False, offset, size)
            return spec_of(name)
        if other := _in_folders(name, _added_folders() if path is None else path):
            modules[name] = modules[other]
            return spec_of(name)
        if name in LEFT_OUT:
            raise ModuleNotFoundError(left_out(name), name=name)
        return None

    @staticmethod
    def invalidate_caches():
        pass

    @staticmethod
    def find_distributions(context=None):
        from _cannery_metadata import distributions

        return distributions(context)


class LastFinder:
    """On ``sys.meta_path`` after all others: folders of nothing but data, and words about modules that stayed out."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        for finder in sys.meta_path[sys.meta_path.index(LastFinder) + 1 :]:
            if found := finder.find_spec(name, path, target):
                return found
        for folder in sys.path if path is None else path:
            inside = f"{folder}/{name.rpartition('.')[2]}"
            if any(each.startswith(f"{inside}/") for each in files):
                return namespace(name, inside)
        caller = sys._getframe(2).f_code.co_name  # nothing else tells an import from a question (find_spec)
        if name in UNREACHED and caller == "_find_and_load_unlocked":
            why = f'cannery left it out, as no import led to it: add it with  [tool.cannery]  include = ["{name}"]'
            raise ModuleNotFoundError(f"No module named {name!r} in this program: {why}", name=name)
        return None

    @staticmethod
    def invalidate_caches():
        pass


class FolderLoader(external._LoaderBasics):
    """Loads a namespace, which is a folder with no code of its own."""

    def __init__(self, folder):
        self.folder = folder

    def is_package(self, name):
        return True

    def get_code(self, name):
        return None

    def get_source(self, name):
        return ""

    def exec_module(self, module):
        pass

    def get_resource_reader(self, name):
        from _cannery_resources import Reader

        return Reader(self.folder)


class FolderFinder:
    """In ``sys.path_importer_cache``: a folder in the executable, for those who look into folders (pkgutil)."""

    def __init__(self, folder):
        if folder not in _folders:
            raise ImportError("no folder of the executable", path=folder)
        self.folder = folder

    def find_spec(self, name, target=None):
        known = modules.get(name)
        return spec_of(name) if known and _lies_in(known) == self.folder else None

    def iter_modules(self, prefix=""):
        """As pkgutil has it, which doesn't tell of folders with no code of their own."""
        for name, known in modules.items():
            own = name.startswith(("__main__", "_cannery")) or name.endswith(".__init__")
            if not own and known[3] and _lies_in(known) == self.folder:
                yield prefix + name.rpartition(".")[2], known[1]

    @staticmethod
    def invalidate_caches():
        pass


def left_out(name):
    return f"{name} was left out of this executable by  [tool.cannery.static]  without = [{LEFT_OUT[name]!r}]"


def spec_of(name):
    path, package, _, size = modules[name]
    if not size:
        return namespace(name, path.rpartition("/")[0])
    spec = bootstrap.ModuleSpec(name, loader, origin=path, is_package=package)
    spec.has_location = True
    if package:
        spec.submodule_search_locations.append(path.rpartition("/")[0])
    return spec


def namespace(name, folder):
    spec = bootstrap.ModuleSpec(name, FolderLoader(folder), is_package=True)
    spec.submodule_search_locations = [folder]
    return spec


def install():
    """Put the finders in place; modules that were frozen to be there before them become as all others."""
    sys.meta_path.insert(-1, Finder)
    sys.meta_path.append(LastFinder)
    for key, name, _ in (("__main__", *MAIN), *COMMANDS.values()):  # by which a child of multiprocessing imports it
        modules.setdefault(name, modules[key])
    sys.path_hooks.insert(0, FolderFinder)
    sys.path[:0] = SEARCH_PATH
    sys._stdlib_dir = facts["stdlib"]
    for name, module in list(sys.modules.items()):
        if name in modules and module.__spec__ is not None:
            bootstrap._init_module_attrs(spec_of(name), module, override=True)
    atexit.register(_cannery.settle)  # what is registered first is called last
    _add_builtins()


def prepare_main(main):
    """Make ``__main__`` what it is under an ordinary Python; returns its code.

    It's that of the command whose name the program was called by, as BusyBox does it, or else the app's. Its
    specification names the module, so that multiprocessing's children find it again. Where its file isn't on a disk,
    its outermost frame is the program's: who goes up the frames to the first file that exists finds one.
    """
    called = sys.argv[0].rpartition("/")[2]
    key, name, path = COMMANDS.get(called, ("__main__", *MAIN))
    modules["__main__"] = modules[key]
    _prepare(called if called in COMMANDS else "")
    main.__file__ = path
    main.__loader__ = loader
    main.__spec__ = spec_of("__main__")
    main.__spec__.name = name
    package = name.rpartition(".")[0]
    main.__package__ = package if package in modules and name.endswith(".__main__") else None
    sys.argv[0] = path
    code = loader.get_code("__main__")
    return code if external._path_isfile(path) else code.replace(co_filename=sys.executable or path)


def _prepare(command):
    """Set the variables and the arguments of a command; in those of the app itself others take their place."""
    words, env = GIVEN.get(command, ((), ()))
    if words or env:
        from os import environ

        def filled(word):
            parts = (word,) if isinstance(word, str) else word
            return "".join(part if isinstance(part, str) else environ.get(part[0]) or part[1] for part in parts)

        environ.update((name, filled(value)) for name, value in env)
        given = [word for word in map(filled, words) if word]
        sys.argv[1:] = given + sys.argv[1:] if command else sys.argv[1:] or given


def _added_folders():
    """The folders that the program has put on ``sys.path``: some packages have others inside, which are found there."""
    return [folder for folder in sys.path if folder not in SEARCH_PATH]


def _in_folders(name, folders):
    """The module that lies where ``name`` is looked for, and is called otherwise.

    Some packages put another in their place in ``sys.modules``, which looks for its modules in its own folder.
    """
    last = name.rpartition(".")[2]
    for folder in folders:
        for other, known in modules.items():
            if other.rpartition(".")[2] == last and _lies_in(known) == folder:
                return other
    return None


def _lies_in(known):
    path, package = known[:2]
    folder = path.rpartition("/")[0]
    return folder.rpartition("/")[0] if package else folder


def _add_builtins():
    """What the module site adds."""
    import _sitebuiltins
    import builtins

    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.help = _sitebuiltins._Helper()
