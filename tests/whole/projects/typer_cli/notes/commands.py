from enum import Enum
from typing import Annotated

import typer

app = typer.Typer(help="Notes.", no_args_is_help=True)


class Form(str, Enum):
    plain = "plain"
    loud = "loud"


@app.command()
def add(text: str, form: Annotated[Form, typer.Option(help="How it is said.")] = Form.plain):
    """Add a note."""
    typer.echo(text.upper() if form is Form.loud else text)


@app.command()
def fail():
    """Fail."""
    raise typer.Exit(3)
