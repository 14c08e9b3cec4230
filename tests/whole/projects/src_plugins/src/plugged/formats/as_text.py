class Plugin:
    def show(self, value):
        return str(value)
