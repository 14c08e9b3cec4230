from fastapi import FastAPI

from service.routers import items

app = FastAPI(title="Items")
app.include_router(items.router, prefix="/items")


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}
