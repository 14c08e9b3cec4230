from aiohttp import web

routes = web.RouteTableDef()


@routes.get("/")
async def index(request):
    return web.json_response({"hello": request.query.get("name", "world")})


@routes.get("/boom")
async def boom(request):
    raise web.HTTPConflict


def make_app():
    app = web.Application()
    app.add_routes(routes)
    return app


if __name__ == "__main__":
    web.run_app(make_app(), port=18422)
