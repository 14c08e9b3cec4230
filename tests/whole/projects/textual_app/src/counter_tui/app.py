import asyncio
import sys

from textual.app import App
from textual.widgets import Button, Digits, Footer, Header, Input, Markdown


class Counter(App):
    CSS_PATH = "counter.tcss"
    BINDINGS = [("a", "add", "Add")]

    def compose(self):
        yield Header()
        yield Digits("0")
        yield Button("Add", id="add")
        yield Input()
        yield Markdown("# Title\n\n```python\nprint(1)\n```")
        yield Footer()

    def action_add(self):
        digits = self.query_one(Digits)
        digits.update(str(int(digits.value) + 1))

    def on_button_pressed(self):
        self.action_add()


async def tried():
    app = Counter()
    async with app.run_test() as pilot:
        await pilot.click("#add")
        await pilot.press("tab", "tab")
        await pilot.pause()
        print("count", app.query_one(Digits).value, app.query_one(Digits).styles.color.hex)


def main():
    if "--try" in sys.argv:
        asyncio.run(tried())
    else:
        Counter().run()
