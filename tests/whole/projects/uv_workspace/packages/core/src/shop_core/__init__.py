import attrs


@attrs.define
class Basket:
    items: list[str] = attrs.field(factory=list)
