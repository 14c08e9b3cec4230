from typing import Annotated, get_type_hints

from annotated_doc import Doc


def hello(name: Annotated[str, Doc("whom to greet")]) -> None: ...


print(get_type_hints(hello, include_extras=True)["name"].__metadata__[0].documentation)
