CREATE OR REPLACE VIEW orders_by_customer AS
SELECT customers.name, count(orders.id) AS orders
FROM customers LEFT JOIN orders ON orders.customer = customers.id
GROUP BY customers.name;
