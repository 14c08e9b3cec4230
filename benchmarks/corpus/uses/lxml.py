import io

from lxml import etree, html, objectify
from lxml.builder import E

root = etree.fromstring("<a x='1'><b>t</b><b/></a>")
print(root.xpath("count(//b)"), root.get("x"), etree.tostring(E.p("a", E.b("c"))), objectify.fromstring("<r><n>3</n></r>").n + 1)
page = html.fromstring("<p class=k>one<br>two<a href='/x'>three</a>")
page.make_links_absolute("http://ex.example/")
print(page.xpath("//a/@href"), page.text_content())
sheet = etree.XSLT(
    etree.XML(
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        '<xsl:template match="/"><o><xsl:value-of select="//b"/></o></xsl:template></xsl:stylesheet>'
    )
)
print(str(sheet(root)).strip())
schema = etree.RelaxNG(etree.XML('<element name="a" xmlns="http://relaxng.org/ns/structure/1.0"><text/></element>'))
print(schema.validate(root), [event for event, _ in etree.iterparse(io.BytesIO(b"<a><b/></a>"))])
try:
    etree.fromstring("<a>")
except etree.XMLSyntaxError as error:
    print(type(error).__name__)
print(etree.fromstring("<?xml version='1.0' encoding='iso-8859-15'?><a>\u20ac</a>".encode("iso-8859-15")).text)
