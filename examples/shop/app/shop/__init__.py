"""A small shop: pages (web), an HTTP API (api), a worker that packs orders (worker), and the database's tables (migrate)."""
