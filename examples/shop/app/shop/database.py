"""PostgreSQL: where it is, and what the shop keeps in it."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import connection as Connection

from shop.settings import secret, setting

Cursor = psycopg2.extensions.cursor


class SoldOut(Exception):
    """There is less of a product than was ordered; the message is its name."""


@dataclass(frozen=True)
class Product:
    id: int
    name: str
    description: str
    price: int  # cents
    stock: int
    drawing: str


def connect() -> Connection:
    """A new connection. Raises psycopg2.OperationalError when the server cannot be reached."""
    return psycopg2.connect(
        host=setting("DATABASE_HOST", "db"),
        dbname=setting("DATABASE_NAME", "shop"),
        user=setting("DATABASE_USER", "shop"),
        password=secret("db-password"),
        connect_timeout=5,
    )


def products(cursor: Cursor) -> list[Product]:
    cursor.execute("SELECT id, name, description, price, stock, drawing FROM products ORDER BY id")
    return [Product(*row) for row in cursor.fetchall()]


def place_order(cursor: Cursor, cart: str, quantities: Mapping[int, int]) -> int:
    """Writes an order and takes its goods from the stock; its id. Raises SoldOut. Products that do not exist any more are left out."""
    cursor.execute("INSERT INTO orders (cart) VALUES (%s) RETURNING id", (cart,))
    (order,) = cursor.fetchone()
    # Always in the same order, so that two orders never wait for each other.
    for product, quantity in sorted(quantities.items()):
        cursor.execute("SELECT name, price, stock FROM products WHERE id = %s FOR UPDATE", (product,))
        row = cursor.fetchone()
        if row is None:
            continue
        name, price, stock = row
        if stock < quantity:
            raise SoldOut(name)
        cursor.execute("UPDATE products SET stock = stock - %s WHERE id = %s", (quantity, product))
        cursor.execute("INSERT INTO order_lines VALUES (%s, %s, %s, %s)", (order, product, quantity, price))
    return order


def orders(cursor: Cursor, cart: str, limit: int = 5) -> list[dict[str, object]]:
    """The last orders of a cart, newest first: id, state, packer, total (cents), items, and seconds until it was packed."""
    cursor.execute(
        """SELECT id, state, packer, COALESCE(SUM(quantity * price), 0)::bigint, COALESCE(SUM(quantity), 0)::int,
                  EXTRACT(EPOCH FROM packed_at - placed_at)::float
           FROM orders LEFT JOIN order_lines ON order_id = id WHERE cart = %s GROUP BY id ORDER BY id DESC LIMIT %s""",
        (cart, limit),
    )
    names = ("id", "state", "packer", "total", "items", "seconds")
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def pack(cursor: Cursor, order: int, packer: str) -> bool:
    """Marks an order as packed. False when somebody has done so already."""
    cursor.execute("UPDATE orders SET state = 'packed', packer = %s, packed_at = now() WHERE id = %s AND state = 'placed'", (packer, order))
    return cursor.rowcount == 1


def forgotten(cursor: Cursor, seconds: int) -> list[int]:
    """Orders that were placed so long ago and are not packed: their job was lost."""
    cursor.execute("SELECT id FROM orders WHERE state = 'placed' AND placed_at < now() - make_interval(secs => %s) ORDER BY id", (seconds,))
    return [order for (order,) in cursor.fetchall()]
