import argparse

import humanize
from dateutil import parser as dates
from rich import print as show
from rich.markdown import Markdown
from rich.progress import Progress

arguments = argparse.ArgumentParser(description="Show things.")
arguments.add_argument("--size", type=int, default=1_500_000)
arguments.add_argument("--day", default="3 March 2024")


def main() -> None:
    given = arguments.parse_args()
    show(Markdown(f"# {humanize.naturalsize(given.size)}\n\n- {dates.parse(given.day).date()}"))
    humanize.i18n.activate("de_DE")
    show(humanize.intword(given.size), ":thumbs_up:")
    with Progress(disable=True) as progress:
        progress.add_task("work")


if __name__ == "__main__":
    main()
