import asyncio
import os

from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from models import Base, Book


async def books() -> list[str]:
    engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite://"))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with async_sessionmaker(engine)() as session:
        session.add_all([Book(title="A"), Book(title="B")])
        await session.commit()
        return list(await session.scalars(select(Book.title).order_by(Book.title)))


print(asyncio.run(books()))
try:
    create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none").connect().execute(text("select 1"))
except OperationalError as error:
    print(type(error.orig).__module__, "cannot connect")
