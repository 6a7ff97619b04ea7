/* /* nested */ */ SELECT 'it''s', E'it\'s', $tag$ ' ; $$ $tag$; -- '
COPY t (a) FROM STDIN WITH (FORMAT csv);
"quoted; VACUUM
it's
\.
create unique index /* no lock */ concurrently
    t_a ON t (a);
