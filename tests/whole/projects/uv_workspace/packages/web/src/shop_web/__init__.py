import sys
from importlib.metadata import version

from jinja2 import Environment, PackageLoader
from shop_core import Basket


def main():
    page = Environment(loader=PackageLoader("shop_web")).get_template("page.txt")
    print(page.render(basket=Basket(sys.argv[1:]), core=version("shop-core"), web=version("shop-web")))
