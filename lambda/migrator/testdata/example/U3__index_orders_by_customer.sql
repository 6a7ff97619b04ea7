-- Without CONCURRENTLY: an undo runs in one transaction.
DROP INDEX orders_customer_id_idx;
