"""Packs orders: takes their ids from Redis's list, and marks them as packed in PostgreSQL. Finds those whose job was lost by their age."""

import os
import signal
import socket
import time
from pathlib import Path

import psycopg2

from shop import database
from shop.redis import Redis, RedisError
from shop.settings import setting

QUEUE = "orders"
# Seconds: of one look into the list, of the work on an order, and the age at which an order that is not packed was forgotten.
LOOK = 2
WORK = 0.2
FORGOTTEN = 10
ALIVE = Path("/tmp/alive")


def end(*_: object) -> None:
    """What is under way is rolled back with its connection, and found again by its age."""
    raise SystemExit(0)


def pack(connection: psycopg2.extensions.connection, order: int, packer: str) -> None:
    time.sleep(WORK)
    with connection, connection.cursor() as cursor:
        packed = database.pack(cursor, order, packer)
    if packed:
        print(f"packed order {order}", flush=True)


def work(packer: str) -> None:
    """Until a connection breaks."""
    redis = Redis(setting("REDIS_HOST", "redis"))
    connection = database.connect()
    print(f"{packer} waits for orders", flush=True)
    try:
        while True:
            ALIVE.touch()
            job = redis.command("BRPOP", QUEUE, LOOK, wait=LOOK)
            if isinstance(job, list):
                pack(connection, int(job[1]), packer)
                continue
            with connection, connection.cursor() as cursor:
                orders = database.forgotten(cursor, FORGOTTEN)
            for order in orders:
                pack(connection, order, packer)
    finally:
        connection.close()
        redis.close()


def main() -> None:
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    packer = f"{socket.gethostname()}-{os.urandom(2).hex()}"
    while True:
        try:
            work(packer)
        except (RedisError, psycopg2.OperationalError) as error:
            print(f"tries again in a second: {error}", flush=True)
            time.sleep(1)


if __name__ == "__main__":
    main()
