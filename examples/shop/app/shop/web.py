"""The shop's pages. A cart belongs to a cookie; everything else is asked of the API."""

import os
import re
import secrets
import socket
from http import HTTPStatus
from pathlib import Path

from shop import pages
from shop.serving import Refused, Request, Response, as_json, serve
from shop.settings import setting
from shop.upstream import ask

# Instances may share their host name.
SERVED_BY = f"{socket.gethostname()}-{os.urandom(2).hex()}"
NAME = setting("SHOP_NAME", "Corner Shop")
ACCENT = setting("SHOP_ACCENT", "#2f6f5e")
CART = re.compile(r"(?:^|;\s*)cart=([0-9a-f]{32})(?:;|$)")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Served-By": SERVED_BY,
}


def known_cart(request: Request) -> str | None:
    match = CART.search(request.headers.get("cookie", ""))
    return match[1] if match else None


def html(body: bytes, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(body, status, HEADERS | {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})


def front(request: Request, notice: Refused | None = None) -> Response:
    products = ask("GET", "/products")
    cart = known_cart(request)
    # Who has put nothing into a cart has none.
    mine = ask("GET", f"/carts/{cart}") if cart else {"items": {}, "orders": []}
    said = f'<p class="notice" role="alert">{pages.escape(str(notice).capitalize())}.</p>' if notice else ""
    main = said + pages.goods(products) + f"<aside>{pages.cart(products, mine['items'])}{pages.orders(mine['orders'])}</aside>"
    waiting = any(order["state"] == "placed" for order in mine["orders"])
    body = pages.page(name=NAME, accent=ACCENT, served_by=SERVED_BY, main=main, waiting=waiting)
    return html(body, notice.status if notice else HTTPStatus.OK)


def get_orders(request: Request) -> Response:
    """The visitor's orders as JSON."""
    cart = known_cart(request)
    orders = ask("GET", f"/carts/{cart}")["orders"] if cart else []
    response = as_json(orders)
    return Response(response.body, response.status, response.headers | HEADERS | {"Cache-Control": "no-store"})


def product_of(request: Request) -> int:
    product = request.form().get("product", "")
    if not re.fullmatch(r"[0-9]{1,9}", product):
        raise Refused(HTTPStatus.BAD_REQUEST, "no product was named")
    return int(product)


def see_front(cart: str) -> Response:
    # Of this site only: a form elsewhere cannot order for somebody.
    cookie = f"cart={cart}; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict"
    return Response(status=HTTPStatus.SEE_OTHER, headers=HEADERS | {"Location": "/", "Set-Cookie": cookie})


def add(request: Request) -> Response:
    cart = known_cart(request) or secrets.token_hex(16)
    try:
        ask("POST", f"/carts/{cart}/items", {"product": product_of(request), "quantity": 1})
    except Refused as refused:
        return front(request, refused)
    return see_front(cart)


def remove(request: Request) -> Response:
    cart = known_cart(request)
    if cart is None:
        return front(request, Refused(HTTPStatus.CONFLICT, "the cart is empty"))
    ask("DELETE", f"/carts/{cart}/items/{product_of(request)}")
    return see_front(cart)


def order(request: Request) -> Response:
    cart = known_cart(request)
    if cart is None:
        return front(request, Refused(HTTPStatus.CONFLICT, "the cart is empty"))
    try:
        ask("POST", f"/carts/{cart}/orders")
    except Refused as refused:
        return front(request, refused)
    return see_front(cart)


def main() -> None:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", ACCENT):
        raise SystemExit(f"SHOP_ACCENT must be a colour like #2f6f5e, not {ACCENT!r}")
    style = f":root {{ --accent: {ACCENT}; }}\n{(Path(__file__).parent / 'style.css').read_text()}".encode()
    # Its address tells the colour, so that it may be kept for long.
    styled = Response(style, headers=HEADERS | {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=86400"})
    serve(
        int(setting("PORT", "8080")),
        [
            ("GET", "/", front),
            ("GET", "/orders", get_orders),
            ("POST", "/cart", add),
            ("POST", "/cart/remove", remove),
            ("POST", "/orders", order),
            ("GET", r"/style\.css", lambda _: styled),
            ("GET", "/health", lambda _: as_json({"status": "ok"})),
        ],
    )


if __name__ == "__main__":
    main()
