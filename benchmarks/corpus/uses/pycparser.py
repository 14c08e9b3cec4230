from pycparser import c_ast, c_generator, c_parser

tree = c_parser.CParser().parse("int f(int a) { if (a > 1) return a * f(a - 1); return 1; }")
print(c_generator.CGenerator().visit(tree))


class Calls(c_ast.NodeVisitor):
    def visit_FuncCall(self, node):
        print(node.name.name, node.coord)


Calls().visit(tree)
