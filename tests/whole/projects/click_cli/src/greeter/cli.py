from importlib.resources import files

import click


@click.group()
@click.version_option(package_name="greeter-cli")
def cli():
    """Greet people."""


@cli.command()
@click.argument("name")
@click.option("--language", default="en", show_default=True)
def hello(name, language):
    """Greet NAME."""
    click.secho(files("greeter").joinpath("words", f"{language}.txt").read_text("utf-8").strip().format(name=name))
