from markdown_it import MarkdownIt

md = MarkdownIt("commonmark").enable(["table", "strikethrough"])
print(md.render("# Title\n\n| a | b |\n|---|---|\n| 1 | ~~2~~ |\n\n[x](http://a.example/ä \"t\") &copy; `c`\n"))
print([token.type for token in MarkdownIt("js-default").parse("- one\n- two")])
print(MarkdownIt("zero").renderInline("*a*"))
