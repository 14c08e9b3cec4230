import json


class Plugin:
    def show(self, value):
        return json.dumps(value)
