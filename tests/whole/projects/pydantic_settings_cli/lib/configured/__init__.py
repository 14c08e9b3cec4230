from pydantic import BaseModel, EmailStr, Field
from pydantic_settings import BaseSettings, CliApp, SettingsConfigDict


class Database(BaseModel):
    host: str = "localhost"
    port: int = Field(5432, gt=0)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CONFIGURED_", env_nested_delimiter="__", cli_prog_name="configured")
    owner: EmailStr = "ann@example.com"
    database: Database = Database()

    def cli_cmd(self) -> None:
        print(self.model_dump_json())


def main() -> None:
    CliApp.run(Settings)
