-- ${dsn} is a placeholder: where this database is, as dblink and postgres_fdw want it.
-- Placeholders of your own come from cdk.json.
CREATE TABLE settings (
    name  text PRIMARY KEY,
    value text NOT NULL
);

INSERT INTO settings (name, value) VALUES ('dsn', 'host=${dsn}');
