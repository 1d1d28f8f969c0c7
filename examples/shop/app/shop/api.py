"""The shop's API: products and orders are PostgreSQL's, carts and the queue of orders to pack are Redis's."""

from dataclasses import asdict
from http import HTTPStatus

import psycopg2

from shop import database
from shop.pool import Pool
from shop.redis import Redis, RedisError
from shop.serving import Refused, Request, Response, as_json, serve
from shop.settings import setting

QUEUE = "orders"
CART_SECONDS = 3600
MOST = 20  # of a product in a cart

databases = Pool(database.connect, 8)
redises = Pool(lambda: Redis(setting("REDIS_HOST", "redis")), 8)


def cart_key(cart: str) -> str:
    return f"cart:{cart}"


def get_products(_: Request) -> Response:
    with databases.lease() as connection, connection, connection.cursor() as cursor:
        return as_json([asdict(product) for product in database.products(cursor)])


def quantities(fields: list[str]) -> dict[int, int]:
    """`[product, quantity, …]`, as Redis has a hash."""
    return {int(product): int(quantity) for product, quantity in zip(fields[::2], fields[1::2])}


def get_cart(request: Request) -> Response:
    """What is in it, and its last orders."""
    (cart,) = request.arguments
    with redises.lease() as redis:
        items = quantities(redis.command("HGETALL", cart_key(cart)))
    with databases.lease() as connection, connection, connection.cursor() as cursor:
        orders = database.orders(cursor, cart)
    return as_json({"items": items, "orders": orders})


def whole(value: object, least: int, most: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Refused(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number from {least} to {most}")
    return value


def add_to_cart(request: Request) -> Response:
    """`{"product": ID, "quantity": N}`: so many more of it, up to the most that one may have."""
    (cart,) = request.arguments
    body = request.json()
    product = whole(body.get("product"), 1, 2**31 - 1, "product")
    quantity = whole(body.get("quantity", 1), 1, MOST, "quantity")
    with databases.lease() as connection, connection, connection.cursor() as cursor:
        known = any(each.id == product for each in database.products(cursor))
    if not known:
        raise Refused(HTTPStatus.NOT_FOUND, f"there is no product {product}")
    key = cart_key(cart)
    with redises.lease() as redis:
        count, _ = redis.commands([("HINCRBY", key, product, quantity), ("EXPIRE", key, CART_SECONDS)])
        if count > MOST:
            redis.command("HSET", key, product, MOST)
    return Response(status=HTTPStatus.NO_CONTENT)


def take_from_cart(request: Request) -> Response:
    cart, product = request.arguments
    with redises.lease() as redis:
        redis.command("HDEL", cart_key(cart), product)
    return Response(status=HTTPStatus.NO_CONTENT)


def order_cart(request: Request) -> Response:
    """Orders what is in the cart. The cart is emptied first, so that the same order cannot be placed twice; it is filled again if it cannot be."""
    (cart,) = request.arguments
    key = cart_key(cart)
    with redises.lease() as redis:
        *_, (fields, _) = redis.commands([("MULTI",), ("HGETALL", key), ("DEL", key), ("EXEC",)])
    if not fields:
        raise Refused(HTTPStatus.CONFLICT, "the cart is empty")
    try:
        with databases.lease() as connection, connection, connection.cursor() as cursor:
            order = database.place_order(cursor, cart, quantities(fields))
    except Exception:
        with redises.lease() as redis:
            redis.commands([("HSET", key, *fields), ("EXPIRE", key, CART_SECONDS)])
        raise
    # The order stands; should its job be lost, the worker finds it by its age.
    try:
        with redises.lease() as redis:
            redis.command("LPUSH", QUEUE, order)
    except RedisError as error:
        print(f"order {order} waits for the worker's search: {error}", flush=True)
    return as_json({"order": order}, HTTPStatus.CREATED)


def get_health(_: Request) -> Response:
    with databases.lease() as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    with redises.lease() as redis:
        redis.command("PING")
    return as_json({"status": "ok"})


def describe(error: Exception) -> Refused | None:
    if isinstance(error, database.SoldOut):
        return Refused(HTTPStatus.CONFLICT, f"there is not enough of it left: {error}")
    if isinstance(error, psycopg2.OperationalError | RedisError):
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "the shop is not available at the moment")
    return None


CART = r"/carts/([0-9a-f]{32})"


def main() -> None:
    serve(
        int(setting("PORT", "8080")),
        [
            ("GET", "/health", get_health),
            ("GET", "/products", get_products),
            ("GET", CART, get_cart),
            ("POST", CART + "/items", add_to_cart),
            ("DELETE", CART + r"/items/([0-9]{1,10})", take_from_cart),
            ("POST", CART + "/orders", order_cart),
        ],
        describe,
    )


if __name__ == "__main__":
    main()
