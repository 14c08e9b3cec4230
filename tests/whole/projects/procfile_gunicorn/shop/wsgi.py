import json
from pathlib import Path

import falcon

PRICES = json.loads(Path(__file__).with_name("prices.json").read_text())


class Prices:
    def on_get(self, request, response, name):
        if name not in PRICES:
            raise falcon.HTTPNotFound(description=f"no {name}")
        response.media = {"name": name, "price": PRICES[name]}


application = falcon.App()
application.add_route("/prices/{name}", Prices())
