-- CONCURRENTLY lets the application go on writing. It can't run in a transaction,
-- so it stands in a script of its own.
CREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);
