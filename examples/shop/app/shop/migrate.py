"""Makes the tables and puts the goods on the shelf. Does nothing to what is there already, so it can be run at every start."""

from shop.database import connect

TABLES = """
CREATE TABLE IF NOT EXISTS products (
  id int PRIMARY KEY,
  name text NOT NULL,
  description text NOT NULL,
  price int NOT NULL CHECK (price > 0),
  stock int NOT NULL CHECK (stock >= 0),
  drawing text NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cart text NOT NULL,
  state text NOT NULL DEFAULT 'placed' CHECK (state IN ('placed', 'packed')),
  placed_at timestamptz NOT NULL DEFAULT now(),
  packer text,
  packed_at timestamptz
);
CREATE INDEX IF NOT EXISTS orders_of_cart ON orders (cart, id);
CREATE INDEX IF NOT EXISTS orders_to_pack ON orders (placed_at) WHERE state = 'placed';
CREATE TABLE IF NOT EXISTS order_lines (
  order_id bigint NOT NULL REFERENCES orders,
  product_id int NOT NULL REFERENCES products,
  quantity int NOT NULL CHECK (quantity > 0),
  price int NOT NULL,
  PRIMARY KEY (order_id, product_id)
);
"""

# id, name, description, price in cents, stock, drawing
PRODUCTS = [
    (1, "Mug", "Stoneware, glazed by hand. Holds a third of a litre.", 1400, 500, "mug"),
    (2, "Notebook", "192 dotted pages that stay open where you left them.", 1150, 500, "notebook"),
    (3, "Lamp", "Warm light for a desk, dimmed by a touch.", 5900, 120, "lamp"),
    (4, "Plant", "A pilea that forgives a week without water.", 2200, 80, "plant"),
    (5, "Clock", "Sweeps silently. One battery lasts for years.", 3700, 200, "clock"),
    (6, "Tote bag", "Heavy cotton, long handles, one inner pocket.", 1900, 300, "bag"),
]


def main() -> None:
    connection = connect()
    with connection, connection.cursor() as cursor:
        # Two that start at once would both find no tables.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('migrate'))")
        cursor.execute(TABLES)
        cursor.executemany("INSERT INTO products VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING", PRODUCTS)
    connection.close()
    print(f"migrate: {len(PRODUCTS)} products", flush=True)


if __name__ == "__main__":
    main()
