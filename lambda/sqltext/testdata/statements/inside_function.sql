-- A function whose body speaks of everything that does not run in a transaction.
CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    -- VACUUM; is what we would like to do
    EXECUTE 'CREATE INDEX CONCURRENTLY i ON t (a); VACUUM;';
    RAISE NOTICE $$it's ; done$$;
END;
$body$;
