from markupsafe import Markup, escape, escape_silent

print(escape("<a & 'b'>"), Markup("<b>%s</b>") % "<i>", Markup("<p>x &amp; y</p>").striptags(), escape_silent(None) == "")
print(Markup("{:>6}").format("<"), Markup("a").join(["<", Markup("<")]))
