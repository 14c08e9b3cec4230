"""From a project to a row of measurements for each way to pack it."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cannery import __version__
from cannery.check.http import check_free
from cannery.check.question import Call, Requests, questions, served
from cannery.comparison.asking import Probe
from cannery.comparison.launch import ProgramLaunch
from cannery.comparison.machine import machine
from cannery.comparison.measurement import Lack, Measurement, Running
from cannery.comparison.rounds import run_in_rounds
from cannery.containers.ports import published_port
from cannery.errors import CanneryError, ConfigurationError
from cannery.recipes.comparing.builds import project_copy, timed_builds
from cannery.recipes.comparing.one_line import changing_module
from cannery.recipes.comparing.own import own_image
from cannery.recipes.comparing.peers import made_by_peer, staged
from cannery.recipes.venues import environment_of
from cannery.trees.scripts import command_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cannery.comparison.launch import Launch
    from cannery.comparison.peers.peer import Peer
    from cannery.project.app import App
    from cannery.sizes.parts import ImageSizes
    from cannery.workspace.workspace import Workspace

__all__ = ["REFERENCE", "CompareOptions", "Compared", "compare"]

REFERENCE: Final = "environment"


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What is compared, and how."""

    recipes: tuple[str, ...]
    probe: str | None = None  # arguments or an address, as the setting check has them; None: what the settings say
    rounds: int = 7
    patience: float = 60.0  # seconds that a program gets to answer
    flags: tuple[str, ...] = ()  # of invoke image, that all are built by
    peers: tuple[Peer, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """All that was measured in one run."""

    project: str
    probe: Probe
    rounds: int
    when: str  # the beginning, in UTC (RFC 3339)
    seconds: float  # that all of it took
    machine: Mapping[str, str]
    rows: tuple[Measurement, ...]
    sizes: Mapping[str, ImageSizes]  # by the name of the row


def compare(app_by: Callable[[str], App], options: CompareOptions, workspace: Workspace) -> Compared:
    """Build, start and measure the project by each of the recipes; ``app_by`` is its app by the one that it's given.

    Raises :class:`ConfigurationError` for a probe that is neither arguments nor an address of the program,
    :class:`CanneryError` where no recipe can build it.
    """
    began, when = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    questions([options.probe] if options.probe is not None else [])  # a wrong one is refused before anything is built
    found = _Contenders(workspace)
    for recipe in options.recipes:
        found.add(recipe, app_by)
    app = found.settled()
    question = _question(app, options.probe)
    if isinstance(question, Requests):
        check_free(question.urls)
    found.add_builds(app, options)
    probe = _probe(question)
    with _reference(app, workspace) as reference, ExitStack() as stack:
        found.add_peers(app, options.peers, stack)
        launches = {REFERENCE: reference, **found.launches}
        running = run_in_rounds(launches, probe, options.rounds, options.patience, workspace, REFERENCE)
    rows = (
        Measurement(REFERENCE, "reference", "a virtual environment of the same requirements, and nothing packed"),
        *found.rows.values(),
    )
    return Compared(
        project=app.name,
        probe=probe,
        rounds=options.rounds,
        when=when,
        seconds=time.monotonic() - began,
        machine=machine(),
        rows=tuple(_with_running(row, running.get(row.name)) for row in rows),
        sizes=found.sizes,
    )


class _Contenders:
    """The ways to pack a project that could build it, and the rows of those that couldn't as well."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._apps: list[App] = []
        self._errors: list[CanneryError] = []
        self.rows: dict[str, Measurement] = {}
        self.launches: dict[str, Launch] = {}
        self.sizes: dict[str, ImageSizes] = {}

    def add(self, recipe: str, app_by: Callable[[str], App]) -> None:
        """Build the project by ``recipe``, and look at what came of it."""
        self._workspace.progress(f"building {recipe}")
        try:
            made = own_image(app_by(recipe), self._workspace)
        except CanneryError as error:
            self._errors.append(error)
            self.rows[recipe] = Measurement(recipe, "recipe", lacks=(_lack("build", error),))
            return
        self._apps.append(made.built.app)
        base = f" on {made.built.base.name}" if made.built.base else ""
        self.rows[recipe] = Measurement(
            recipe, "recipe", f"cannery {__version__}{base}", stored=made.stored, findings=made.findings
        )
        self.launches[recipe], self.sizes[recipe] = made.launch, made.sizes

    def settled(self) -> App:
        """The app, with what its dependencies decide about its start, by the first recipe that could build it."""
        if not self._apps:
            raise self._errors[0]
        return self._apps[0]

    def add_builds(self, app: App, options: CompareOptions) -> None:
        """Build copies of the project by each recipe, and take the time."""
        workspace = self._workspace
        with ExitStack() as stack:
            try:
                module = changing_module(app, workspace)
                here, elsewhere = (stack.enter_context(project_copy(app, module, workspace)) for _ in range(2))
            except CanneryError as error:
                for name in self.launches:
                    self._leave_out(name, "copy of the project", error)
                return
            for name in self.launches:
                try:
                    times = timed_builds(name, (here, elsewhere), options.flags, workspace)
                    self.rows[name] = replace(self.rows[name], builds=times)
                except CanneryError as error:
                    self._leave_out(name, "builds of a copy of the project", error)

    def add_peers(self, app: App, peers: Sequence[Peer], stack: ExitStack) -> None:
        """Have peers pack the app; what they make stays until ``stack`` ends."""
        if not peers:
            return
        workspace = self._workspace
        for peer in peers:
            self.rows[peer.name] = Measurement(peer.name, "peer")
        try:
            stage = stack.enter_context(staged(app, workspace))
        except CanneryError as error:
            for peer in peers:
                self._leave_out(peer.name, "build", error)
            return
        for peer in peers:
            folder = stack.enter_context(workspace.cache.scratch())
            try:
                made = made_by_peer(peer, app, stage, folder, workspace)
            except CanneryError as error:
                self._leave_out(peer.name, "build", error)
            else:
                self.rows[peer.name], self.launches[peer.name] = made

    def _leave_out(self, name: str, what: str, error: CanneryError) -> None:
        """Note in the row ``name`` that something couldn't be measured."""
        self.rows[name] = _with_lack(self.rows[name], _lack(what, error))


@contextmanager
def _reference(app: App, workspace: Workspace) -> Iterator[Launch]:
    """The program in a virtual environment, whose bytecode is kept from one start to the next, as pip leaves it."""
    with environment_of(app, workspace) as found, workspace.cache.scratch() as bytecode:
        variables = {name: value for name, value in found.variables.items() if name != "PYTHONDONTWRITEBYTECODE"}
        variables["PYTHONPYCACHEPREFIX"] = str(bytecode)
        yield ProgramLaunch(found.command, found.defaults, found.folder, variables)


def _question(app: App, text: str | None) -> Call | Requests:
    """What ``app`` is asked: ``text``, or the first that its setting ``check`` has, or its port, or else its own start.

    Raises :class:`ConfigurationError` for a text that is neither arguments nor an address.
    """
    commands = command_names(app)
    given = [text] if text is not None else _texts(app.settings.check)
    asked = [each for each in questions(given, commands) if not (isinstance(each, Call) and each.command)]
    if text is not None and not asked:
        raise ConfigurationError(
            f"--probe {text!r} names another command of the image", step="name arguments of the program, or an address"
        )
    ports = (published_port(port).container.partition("/") for port in app.ports)
    known = [served(int(number)) for number, _, protocol in ports if protocol == "tcp"]
    by_http = [each for each in asked if isinstance(each, Requests)]
    calls = [each for each in asked if isinstance(each, Call)]
    asked_for: list[Call | Requests] = [*by_http, *calls, *known]
    return asked_for[0] if asked_for else Call(())


def _texts(check: str | Sequence[str]) -> Sequence[str]:
    return [check] if isinstance(check, str) else check


def _probe(question: Call | Requests) -> Probe:
    if isinstance(question, Requests):
        url = question.urls[0]
        return Probe(url.text, port=url.port, target=url.target)
    return Probe(str(question), question.arguments)


def _lack(what: str, error: CanneryError) -> Lack:
    return Lack(what, error.what, error.step)


def _with_lack(row: Measurement, lack: Lack) -> Measurement:
    return replace(row, lacks=(*row.lacks, lack))


def _with_running(row: Measurement, found: Running | Lack | None) -> Measurement:
    if isinstance(found, Lack):
        return _with_lack(row, found)
    return replace(row, running=found)
