-- What takes V1 back. An undo script runs in a revert only, never in a deployment.
DROP TABLE customers;
