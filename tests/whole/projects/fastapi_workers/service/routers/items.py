from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

router = APIRouter()


class Item(BaseModel):
    name: str
    price: float


ITEMS = {1: Item(name="chair", price=19.5), 2: Item(name="table", price=80)}


@router.get("/{number}")
def item(number: int) -> Item:
    if number not in ITEMS:
        raise HTTPException(404, "no such item")
    return ITEMS[number]
