import io
import json

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.pretty import pretty_repr
from rich.progress import track
from rich.syntax import Syntax
from rich.table import Table
from rich.traceback import Traceback
from rich.tree import Tree

console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system="truecolor")
table = Table("name", "n", title="Table")
table.add_row("[bold]a[/bold]", "1")
tree = Tree("root")
tree.add("leaf :smiley:")
for each in (table, tree, Panel("in it"), Markdown("# Title\n\n* `code`\n\n> quoted"), pretty_repr({"a": [1, 2]})):
    console.print(each)
console.print(Syntax("def f(x):\n    return x", "python", theme="monokai"))
console.print_json(json.dumps({"a": None}))
try:
    1 / 0
except ZeroDivisionError:
    console.print(Traceback(max_frames=1).trace.stacks[0].exc_type)
print(console.file.getvalue())
print(sum(track([1, 2, 3], disable=True)))
