import asyncio

from sqlalchemy import ForeignKey, String, create_engine, event, func, inspect, select, text
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.exc import IntegrityError, NoSuchModuleError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30), unique=True)
    addresses: Mapped[list["Address"]] = relationship(back_populates="user")


class Address(Base):
    __tablename__ = "address"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    user: Mapped[User] = relationship(back_populates="addresses")


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add(User(name="ann", addresses=[Address(), Address()]))
    session.commit()
    user = session.scalars(select(User).options(selectinload(User.addresses))).one()
    print(user.name, len(user.addresses), session.scalar(select(func.count()).select_from(Address)))
    session.add(User(name="ann"))
    try:
        session.commit()
    except IntegrityError as error:
        print(type(error.orig).__name__)
print(inspect(engine).get_table_names(), select(User).compile(dialect=postgresql.dialect()))
print(select(User.name).limit(1).compile(dialect=mysql.dialect()))
for url in ("postgresql://u@h/d", "no+driver://"):
    try:
        create_engine(url)
    except (ImportError, NoSuchModuleError) as error:
        print(type(error).__name__, error)
