import os

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

templates = Jinja2Templates(directory="templates")


async def home(request):
    return templates.TemplateResponse(request, "home.html", {"greeting": os.environ.get("GREETING", "Hello")})


async def health(request):
    return JSONResponse({"ok": True})


app = Starlette(
    routes=[Route("/", home), Route("/health", health), Mount("/static", StaticFiles(directory="static"), name="static")]
)
