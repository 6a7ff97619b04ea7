SET client_encoding = 'UTF8';
COPY public.notes (id, "text; with quotes""", author) FROM stdin;
1	it's a note; VACUUM;	O'Brien
2	$$ /* -- "	\N
VACUUM;
\.
SELECT pg_catalog.setval('public.notes_id_seq', 2, true);
