from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, EmailStr, Field, ValidationError, computed_field, field_validator, validate_call


class Item(BaseModel):
    name: str = Field(min_length=1)
    price: Decimal
    made: date
    tags: list[str] = []

    @field_validator("name")
    @classmethod
    def upper(cls, value):
        return value.upper()

    @computed_field
    @property
    def label(self) -> str:
        return f"{self.name} {self.price}"


print(Item(name="a", price="1.50", made="2024-02-29").model_dump_json())
print(sorted(Item.model_json_schema()["properties"]))
try:
    Item.model_validate({"name": "", "price": "x", "made": "never"})
except ValidationError as error:
    print([(each["loc"], each["type"]) for each in error.errors()])


@validate_call
def double(value: Annotated[int, Field(gt=0)]):
    return 2 * value


print(double("21"))
try:

    class Person(BaseModel):
        mail: EmailStr
except ImportError as error:
    print(error)
