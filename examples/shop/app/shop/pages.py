"""The shop's page as HTML. Whatever comes from elsewhere is escaped here."""

from html import escape

from shop.drawings import drawing

Product = dict[str, object]


def money(cents: object) -> str:
    return f"€ {int(str(cents)) / 100:.2f}"


def goods(products: list[Product]) -> str:
    cards = []
    for product in products:
        name, description = escape(str(product["name"])), escape(str(product["description"]))
        button = (
            f'<button name="product" value="{int(str(product["id"]))}" aria-label="Add {name} to the cart">Add</button>'
            if product["stock"]
            else '<span class="state">sold out</span>'
        )
        cards.append(
            f"<article>{drawing(str(product['drawing']))}<div><h2>{name}</h2><p>{description}</p>"
            f'<form class="buy" method="post" action="/cart"><span class="price">{money(product["price"])}</span>{button}</form></div></article>'
        )
    return f'<div class="goods">{"".join(cards)}</div>'


def cart(products: list[Product], items: dict[str, int]) -> str:
    chosen = [(product, items[str(product["id"])]) for product in products if str(product["id"]) in items]
    if not chosen:
        return "<section><h2>Cart</h2><p>Nothing in it yet.</p></section>"
    lines = "".join(
        f"<li><span>{quantity} × {escape(str(product['name']))}</span><span>{money(int(str(product['price'])) * quantity)}"
        f'<form method="post" action="/cart/remove"><button class="plain" name="product" value="{int(str(product["id"]))}" '
        f'aria-label="Remove {escape(str(product["name"]))}">×</button></form></span></li>'
        for product, quantity in chosen
    )
    total = sum(int(str(product["price"])) * quantity for product, quantity in chosen)
    return (
        f'<section><h2>Cart</h2><ul>{lines}</ul><div class="total"><span>Total</span><span>{money(total)}</span></div>'
        '<form method="post" action="/orders"><button>Place the order</button></form></section>'
    )


def orders(placed: list[dict[str, object]]) -> str:
    if not placed:
        return ""
    lines = []
    for order in placed:
        state = escape(str(order["state"]))
        title = f' title="by {escape(str(order["packer"]))} after {float(str(order["seconds"])):.1f} s"' if order["packer"] else ""
        lines.append(f'<li><span>No. {int(str(order["id"]))} · {money(order["total"])}</span><span class="state {state}"{title}>{state}</span></li>')
    return f"<section><h2>Orders</h2><ul>{''.join(lines)}</ul></section>"


def page(*, name: str, accent: str, served_by: str, main: str, waiting: bool = False) -> bytes:
    """A whole document. `accent`: a colour as CSS has it, checked by the caller. `waiting`: it loads itself again in a second."""
    refresh = '<meta http-equiv="refresh" content="1">' if waiting else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">{refresh}'
        f'<title>{escape(name)}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css?accent={accent.removeprefix("#")}"></head>'
        f'<body><header><h1><a href="/">{escape(name)}</a></h1></header><main>{main}</main>'
        f"<footer>served by {escape(served_by)}</footer></body></html>"
    ).encode()
